#include "translator/debug/dwarf.h"

namespace fermata::debug {

DwarfSections FindDwarf(const wasm::Module& module, absl::Span<const uint8_t> file) {
  DwarfSections found;
  struct {
    absl::string_view name;
    absl::Span<const uint8_t>* section;
  } const kSections[] = {
      {".debug_info", &found.info},         {".debug_abbrev", &found.abbrev},
      {".debug_line", &found.line},         {".debug_str", &found.str},
      {".debug_line_str", &found.line_str}, {".debug_str_offsets", &found.str_offsets},
      {".debug_addr", &found.addr},         {".debug_ranges", &found.ranges},
      {".debug_rnglists", &found.rnglists}};
  for (const wasm::Section& section : module.sections) {
    if (section.id != 0) continue;
    for (const auto& known : kSections) {
      if (section.name != known.name || !known.section->empty()) continue;
      // The contents of a custom section begin with its name.
      Bytes contents(file.subspan(section.contents, section.size));
      const uint64_t name = contents.Uleb();
      contents.Skip(name);
      *known.section = file.subspan(section.contents + contents.at(), contents.left());
    }
  }
  return found;
}

namespace {

// How many bytes a number of this form has; 0: as many as it needs, or it is none.
uint32_t FixedSize(Form form, const Encoding& encoding) {
  switch (form) {
    case Form::kData1:
    case Form::kRef1:
    case Form::kFlag:
    case Form::kStrx1:
    case Form::kAddrx1:
      return 1;
    case Form::kData2:
    case Form::kRef2:
    case Form::kStrx2:
    case Form::kAddrx2:
      return 2;
    case Form::kStrx3:
    case Form::kAddrx3:
      return 3;
    case Form::kData4:
    case Form::kRef4:
    case Form::kStrx4:
    case Form::kAddrx4:
    case Form::kRefSup4:
      return 4;
    case Form::kData8:
    case Form::kRef8:
    case Form::kRefSig8:
    case Form::kRefSup8:
      return 8;
    case Form::kAddr:
      return encoding.address_size;
    case Form::kRefAddr:
      return encoding.version <= 2 ? encoding.address_size : encoding.offset_size();
    case Form::kStrp:
    case Form::kLineStrp:
    case Form::kSecOffset:
    case Form::kStrpSup:
      return encoding.offset_size();
    default:
      return 0;
  }
}

}  // namespace

FormValue ReadForm(Bytes& in, uint16_t form, const Encoding& encoding, int64_t implicit) {
  // Each indirection takes a byte, so there is an end to it.
  while (form == static_cast<uint16_t>(Form::kIndirect)) {
    form = static_cast<uint16_t>(in.Uleb());
    if (form == static_cast<uint16_t>(Form::kImplicitConst)) in.Fail();
    if (!in.ok()) return {};
  }
  FormValue value{static_cast<Form>(form), 0, {}};
  if (const uint32_t size = FixedSize(value.form, encoding)) {
    value.number = in.Unsigned(size);
    return value;
  }
  switch (value.form) {
    case Form::kBlock1:
      in.Skip(in.U8());
      break;
    case Form::kBlock2:
      in.Skip(in.U16());
      break;
    case Form::kBlock4:
      in.Skip(in.U32());
      break;
    case Form::kBlock:
    case Form::kExprloc:
      in.Skip(in.Uleb());
      break;
    case Form::kData16:
      in.Skip(16);
      break;
    case Form::kSdata:
      value.number = static_cast<uint64_t>(in.Sleb());
      break;
    case Form::kUdata:
    case Form::kRefUdata:
    case Form::kStrx:
    case Form::kAddrx:
    case Form::kLoclistx:
    case Form::kRnglistx:
      value.number = in.Uleb();
      break;
    case Form::kString:
      value.text = in.String();
      break;
    case Form::kFlagPresent:
      value.number = 1;
      break;
    case Form::kImplicitConst:
      value.number = static_cast<uint64_t>(implicit);
      break;
    default:
      in.Fail();
  }
  return value;
}

Bytes ReadUnit(Bytes& in, Encoding& encoding) {
  uint64_t length = in.U32();
  encoding.dwarf64 = length == 0xffffffff;
  if (encoding.dwarf64) {
    length = in.U64();
  } else if (length >= 0xfffffff0) {
    in.Fail();  // reserved
  }
  return in.Take(length);
}

absl::string_view StringAt(absl::Span<const uint8_t> section, uint64_t offset, Budget& budget) {
  if (offset >= section.size() || budget.spent()) return "";
  Bytes in(section, offset);
  const absl::string_view found = in.String();
  return budget.Spend(in.at() - offset) ? found : "";
}

}  // namespace fermata::debug
