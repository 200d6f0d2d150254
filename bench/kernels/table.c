// A hash table with chains, its nodes from an arena with free lists: what a program with malloc does.
#include "kernel.h"

enum { kBuckets = 1024, kArena = 1 << 17 };
struct node { struct node* next; u32 key, count; char name[12]; };
static struct node* buckets[kBuckets];
static struct node* free_nodes;
static u8 arena[kArena];
static u32 used;

static void* take(u32 size) {
  if (used + size > kArena) return (void*)rare(size);
  void* p = arena + used;
  used += (size + 7) & ~7u;
  return p;
}
static struct node* make(void) {
  if (!free_nodes) return take(sizeof(struct node));
  struct node* node = free_nodes;
  free_nodes = node->next;
  return node;
}
static u32 hash(const char* s) {
  u32 h = 2166136261u;
  while (*s) h = (h ^ (u8)*s++) * 16777619u;
  return h;
}
static int equal(const char* a, const char* b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}
static void spell(char* out, u32 v) {
  do *out++ = 'a' + v % 26, v /= 26; while (v);
  *out = 0;
}
static struct node* find(const char* name, int insert) {
  u32 h = hash(name);
  struct node** at = &buckets[h % kBuckets];
  for (struct node* n = *at; n; n = n->next)
    if (n->key == h && equal(n->name, name)) return n;
  if (!insert) return 0;
  struct node* n = make();
  n->key = h; n->count = 0; n->next = *at;
  int i = 0;
  do n->name[i] = name[i]; while (name[i++]);
  return *at = n;
}
static u32 clear(void) {
  u32 sum = 0;
  for (int i = 0; i < kBuckets; i++) {
    while (buckets[i]) {
      struct node* n = buckets[i];
      buckets[i] = n->next;
      sum = sum * 31 + n->count;
      n->next = free_nodes;
      free_nodes = n;
    }
  }
  return sum;
}

KERNEL_RUN {
  u32 sum = 0, seed = 1;
  char name[12];
  for (u32 r = 0; r < n; r++) {
    for (u32 i = 0; i < 4000; i++) {
      seed = seed * 1664525u + 1013904223u;
      spell(name, (seed >> 12) % 1500 * 101);
      struct node* node = find(name, i % 3);
      if (node) sum += ++node->count;
    }
    sum ^= clear();
  }
  return sum;
}
