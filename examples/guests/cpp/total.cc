// A library: its host answers ask(), now or later.
#include <functional>
#include <vector>

extern "C" __attribute__((import_module("env"), import_name("ask"))) int ask(int question);

extern "C" __attribute__((export_name("total"))) int total(int count) {
  std::vector<std::function<int()>> questions;
  for (int i = 1; i <= count; ++i) questions.push_back([i] { return ask(i); });
  int sum = 0;
  for (const auto& question : questions) sum += question();  // suspends in here
  return sum;
}
