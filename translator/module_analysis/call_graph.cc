#include "translator/module_analysis/call_graph.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "translator/validate/function_validator.h"
#include "translator/validate/null_sink.h"
#include "translator/validate/sink.h"

namespace fermata::analysis {
namespace {

using validate::BlockType;
using wasm::ConstExpr;
using wasm::ConstInstr;
using wasm::Module;
using wasm::ValType;

class Collector : public validate::NullSink {
 public:
  Collector(CallGraph& graph, FunctionCalls& calls, absl::flat_hash_set<uint32_t>& referenced,
            std::vector<bool>& written_tables)
      : graph_(graph), calls_(calls), referenced_(referenced), written_tables_(written_tables) {}

  void Begin(uint32_t function, const wasm::FuncType&, absl::Span<const ValType> locals) override {
    function_ = function;
    calls_.local_count = locals.size();
    for (ValType t : locals) graph_.uses_simd |= t == ValType::kV128;
  }
  void Block(const BlockType&) override { loops_.push_back(false); }
  void If(const BlockType&) override { loops_.push_back(false); }
  void Loop(const BlockType&) override {
    calls_.has_loop = true;
    loops_.push_back(true);
    ++loop_depth_;
  }
  void TryTable(const BlockType&, absl::Span<const validate::CatchClause>) override {
    graph_.uses_exceptions = true;
    loops_.push_back(false);
  }
  void Try(const BlockType&) override {
    graph_.uses_exceptions = true;
    loops_.push_back(false);
  }
  void Delegate(uint32_t, bool) override { loops_.pop_back(); }
  void End(bool) override {
    if (loops_.back()) --loop_depth_;
    loops_.pop_back();
  }
  void Throw(uint32_t) override { NoteThrow(); }
  void ThrowRef() override { NoteThrow(); }
  void Rethrow(uint32_t) override { NoteThrow(); }
  void Call(uint32_t function) override {
    NoteCall();
    AddDirect(function);
  }
  void CallIndirect(uint32_t type, uint32_t table) override {
    NoteCall();
    AddIndirect(type, table);
  }
  void CallRef(uint32_t type) override {
    graph_.uses_handles = true;
    NoteCall();
    AddIndirect(type, kAnyTable);
  }
  // The caller's place is taken: none of its loops is waiting.
  void ReturnCall(uint32_t function) override {
    if (function == function_) {
      calls_.has_loop = true;
      return;
    }
    NoteTailCall();
    AddDirect(function);
  }
  void ReturnCallIndirect(uint32_t type, uint32_t table) override {
    NoteTailCall();
    AddIndirect(type, table);
  }
  void ReturnCallRef(uint32_t type) override {
    NoteTailCall();
    AddIndirect(type, kAnyTable);
  }
  void MemoryInit(uint32_t data, uint32_t) override { graph_.named_datas[data] = true; }
  void DataDrop(uint32_t data) override { graph_.named_datas[data] = true; }
  void TableInit(uint32_t element, uint32_t table) override {
    graph_.named_elements[element] = true;
    graph_.used_tables[table] = true;
  }
  void ElemDrop(uint32_t element) override { graph_.named_elements[element] = true; }
  void ConstV128(uint64_t, uint64_t) override { graph_.uses_simd = true; }
  void Lane(wasm::Opcode, uint32_t) override { graph_.uses_simd = true; }
  void Load(wasm::Opcode op, const validate::MemArg&) override {
    graph_.uses_simd |= wasm::Info(op).feature == wasm::Feature::kSimd;
  }
  void Atomic(wasm::Opcode, const validate::MemArg&) override { graph_.uses_atomics = true; }
  void AtomicFence() override { graph_.uses_atomics = true; }
  void Wide(wasm::Opcode) override { graph_.uses_wide = true; }
  void Numeric(wasm::Opcode op) override {
    if (static_cast<uint32_t>(op) > 0xff) {
      graph_.uses_simd |= wasm::Info(op).results == "V" || wasm::Info(op).params[0] == 'V';
    }
  }
  void Uses(const wasm::FeatureUses& uses) override { graph_.uses.AddAll(uses); }
  void RefFunc(uint32_t function) override {
    referenced_.insert(function);
    graph_.uses_handles = true;
  }
  void StructNew(uint32_t, bool) override { NoteAllocation(); }
  void ArrayNew(uint32_t, bool) override { NoteAllocation(); }
  void ArrayNewFixed(uint32_t, uint32_t) override { NoteAllocation(); }
  void ArrayNewData(uint32_t, uint32_t data) override {
    NoteAllocation();
    graph_.named_datas[data] = true;
  }
  void ArrayNewElem(uint32_t, uint32_t element) override {
    NoteAllocation();
    graph_.named_elements[element] = true;
  }
  void ArrayInitData(uint32_t, uint32_t data) override {
    graph_.uses_heap = true;
    graph_.named_datas[data] = true;
  }
  void ArrayInitElem(uint32_t, uint32_t element) override {
    graph_.uses_heap = true;
    graph_.named_elements[element] = true;
  }
  void StructGet(wasm::Opcode, uint32_t, uint32_t, ValType) override { graph_.uses_heap = true; }
  void StructSet(uint32_t, uint32_t, ValType) override { graph_.uses_heap = true; }
  void ArrayGet(wasm::Opcode, uint32_t, ValType) override { graph_.uses_heap = true; }
  void ArraySet(uint32_t, ValType) override { graph_.uses_heap = true; }
  void ArrayLen(ValType) override { graph_.uses_heap = true; }
  void ArrayFill(uint32_t) override { graph_.uses_heap = true; }
  void ArrayCopy(uint32_t, uint32_t) override { graph_.uses_heap = true; }
  void RefTest(ValType, ValType) override { graph_.uses_heap = true; }
  void RefCast(ValType, ValType) override { graph_.uses_heap = true; }
  void BrOnCast(uint32_t, ValType, ValType, bool) override { graph_.uses_heap = true; }
  void TableGet(uint32_t table) override { graph_.used_tables[table] = true; }
  void TableSet(uint32_t table) override { NoteWrite(table); }
  void TableFill(uint32_t table) override { NoteWrite(table); }
  void TableGrow(uint32_t table) override { NoteWrite(table); }
  void TableCopy(uint32_t to, uint32_t from) override {
    graph_.used_tables[to] = graph_.used_tables[from] = true;
    if (to != from) written_tables_[to] = true;
  }

 private:
  void AddDirect(uint32_t function) {
    const auto [it, fresh] = direct_.try_emplace(function, calls_.direct.size());
    if (fresh) {
      calls_.direct.push_back(function);
      calls_.direct_sites.push_back(0);
    }
    ++calls_.direct_sites[it->second];
  }
  void AddIndirect(uint32_t type, uint32_t table) {
    const IndirectCall call{graph_.canonical_type[type], table};
    const auto [it, fresh] =
        indirect_.try_emplace(uint64_t{call.type} << 32 | table, calls_.indirect.size());
    if (fresh) {
      calls_.indirect.push_back(call);
      calls_.indirect_sites.push_back(0);
    }
    ++calls_.indirect_sites[it->second];
  }
  void NoteWrite(uint32_t table) {
    graph_.used_tables[table] = true;
    written_tables_[table] = true;
  }
  void NoteCall() {
    if (loop_depth_ > 0) calls_.suspension_free_loops = false;
  }
  void NoteTailCall() {
    calls_.tail_calls = true;
    graph_.uses_tail_calls = true;
  }
  void NoteAllocation() {
    calls_.allocates = true;
    graph_.uses_heap = true;
  }
  void NoteThrow() {
    calls_.throws = true;
    graph_.uses_exceptions = true;
  }

  CallGraph& graph_;
  uint32_t function_ = 0;
  FunctionCalls& calls_;
  absl::flat_hash_set<uint32_t>& referenced_;
  std::vector<bool>& written_tables_;
  absl::flat_hash_map<uint32_t, uint32_t> direct_;  // index into calls_.direct
  absl::flat_hash_map<uint64_t, uint32_t> indirect_;
  std::vector<bool> loops_;
  int loop_depth_ = 0;
};

// All constant expressions of the module.
template <class Look>
void ForEachConst(const Module& module, Look&& look) {
  for (const wasm::Global& global : module.globals) look(global.init);
  for (const wasm::Table& table : module.tables) look(table.init);
  for (const wasm::ElementSegment& segment : module.elements) {
    for (const ConstExpr& expr : segment.exprs) look(expr);
  }
}

bool Allocates(const ConstInstr& i) {
  return i.kind >= ConstInstr::kStructNew && i.kind <= ConstInstr::kArrayNewFixed;
}

void AddReferenced(const ConstExpr& expr, absl::flat_hash_set<uint32_t>& referenced) {
  for (const ConstInstr& i : expr) {
    if (i.kind == ConstInstr::kRefFunc) referenced.insert(i.index);
  }
}

void NoteTypes(const Module& module, CallGraph& graph) {
  graph.canonical_type = module.canonical_types;
  graph.uses_heap = module.has_object_types;
  for (const wasm::TypeDef& def : module.type_defs) {
    graph.has_subtypes |= def.supertype != wasm::kNoSupertype;
  }
  for (const wasm::FuncType& type : module.types) {
    for (const auto* list : {&type.params, &type.results}) {
      for (ValType t : *list) graph.uses_simd |= t == ValType::kV128;
    }
  }
  for (const wasm::TypeDef& def : module.type_defs) {
    for (const wasm::Field& field : def.fields) graph.uses_simd |= field.type == ValType::kV128;
  }
  for (const wasm::Global& global : module.globals) {
    graph.uses_simd |= global.type.type == ValType::kV128;
  }
  graph.named_datas.resize(module.datas.size());
  graph.named_elements.resize(module.elements.size());
  graph.uses_exceptions = !module.tags.empty();
}

// Functions that this module's segments can put into tables.
void CollectTableFunctions(const Module& module, CallGraph& graph) {
  graph.table_functions.resize(module.tables.size());
  std::vector<uint32_t> passive;
  for (const wasm::ElementSegment& segment : module.elements) {
    std::vector<uint32_t> functions = segment.functions;
    for (const ConstExpr& expr : segment.exprs) {
      for (const ConstInstr& i : expr) {
        if (i.kind == ConstInstr::kRefFunc) functions.push_back(i.index);
        // A global's value may be anybody's function.
        if (i.kind == ConstInstr::kGlobalGet) {
          std::fill(graph.open_table.begin(), graph.open_table.end(), true);
        }
      }
    }
    auto& target =
        segment.mode == wasm::SegmentMode::kActive ? graph.table_functions[segment.table] : passive;
    target.insert(target.end(), functions.begin(), functions.end());
  }
  // table.init may copy any passive segment to any table.
  for (auto& functions : graph.table_functions) {
    functions.insert(functions.end(), passive.begin(), passive.end());
    std::sort(functions.begin(), functions.end());
    functions.erase(std::unique(functions.begin(), functions.end()), functions.end());
  }
}

}  // namespace

absl::StatusOr<CallGraph> BuildCallGraph(const Module& module) {
  CallGraph graph;
  NoteTypes(module, graph);
  graph.functions.resize(module.functions.size());
  graph.open_table.resize(module.tables.size());
  graph.used_tables.resize(module.tables.size());

  absl::flat_hash_set<uint32_t> referenced;
  std::vector<bool> written_tables(module.tables.size());
  for (uint32_t i = module.imported_functions; i < module.functions.size(); ++i) {
    FunctionCalls& calls = graph.functions[i];
    calls.body_bytes = module.functions[i].body.size();
    Collector collector(graph, calls, referenced, written_tables);
    absl::Status status = validate::ValidateFunction(module, i, collector);
    if (!status.ok()) return status;
  }
  for (const wasm::Export& e : module.exports) {
    if (e.kind == wasm::ExternKind::kFunction) referenced.insert(e.index);
    if (e.kind == wasm::ExternKind::kTable) graph.open_table[e.index] = true;
  }
  for (uint32_t t = 0; t < module.tables.size(); ++t) {
    if (graph.has_subtypes || module.tables[t].imported || written_tables[t] ||
        !module.tables[t].init.empty()) {
      graph.open_table[t] = true;
    }
    AddReferenced(module.tables[t].init, referenced);
  }
  for (const wasm::ElementSegment& segment : module.elements) {
    referenced.insert(segment.functions.begin(), segment.functions.end());
    for (const ConstExpr& expr : segment.exprs) AddReferenced(expr, referenced);
  }
  for (const wasm::Global& g : module.globals) {
    AddReferenced(g.init, referenced);
    for (const ConstInstr& i : g.init) graph.uses_handles |= i.kind == ConstInstr::kRefFunc;
  }
  ForEachConst(module, [&](const ConstExpr& expr) {
    graph.uses_heap |= std::any_of(expr.begin(), expr.end(), Allocates);
  });
  if (module.has_start) referenced.insert(module.start);
  graph.referenced.assign(referenced.begin(), referenced.end());
  std::sort(graph.referenced.begin(), graph.referenced.end());
  CollectTableFunctions(module, graph);
  return graph;
}

}  // namespace fermata::analysis
