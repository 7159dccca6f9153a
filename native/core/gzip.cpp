#include "gzip.h"

#include <cstring>

#include "crc_slicing.h"

namespace millrace {
namespace {

constexpr size_t kMatchMost = 258;
constexpr uint32_t kWindowBytes = 32768;
// Four bytes that stand farther back cost as much as a match as they do as literals.
constexpr uint32_t kFarBytes = 4096;
// After 2^6 literals every second position is tried, after as many more every third, until a match is found.
constexpr size_t kPatienceBits = 6;
// A match of so many bytes is good enough.
constexpr size_t kEnoughBytes = 24;
// Reading eight bytes at the next position, too.
constexpr ptrdiff_t kMatchStartBytes = 12;
constexpr size_t kEndOfBlock = 256;
constexpr size_t kLengthSymbols = 257;
constexpr size_t kCodeLengthSymbols = 19;
constexpr int kCodeLengthBitsMax = 7;

constexpr CrcSlicingTables kCrc32 = makeCrcSlicingTables(0xedb88320);

// Symbols of lengths and offsets, each for a range that the extra bits after it number.
struct Ranges {
  uint8_t lengthSymbol[kMatchMost + 1] = {};
  uint16_t lengthBase[29] = {};
  uint8_t lengthExtra[29] = {};
  // Of offset - 1 below 256, then of (offset - 1) / 128.
  uint8_t offsetSymbol[512] = {};
  uint16_t offsetBase[30] = {};
  uint8_t offsetExtra[30] = {};
};

constexpr Ranges makeRanges() {
  Ranges ranges;
  uint32_t length = 3;
  for (uint32_t symbol = 0; symbol < 28; symbol++) {
    const uint32_t extra = symbol < 8 ? 0 : (symbol - 4) / 4;
    ranges.lengthExtra[symbol] = static_cast<uint8_t>(extra);
    ranges.lengthBase[symbol] = static_cast<uint16_t>(length);
    for (uint32_t i = 0; i < 1U << extra; i++) ranges.lengthSymbol[length++] = static_cast<uint8_t>(symbol);
  }
  // The longest has a symbol of its own.
  ranges.lengthSymbol[kMatchMost] = 28;
  ranges.lengthBase[28] = kMatchMost;
  uint32_t offset = 0;
  for (uint32_t symbol = 0; symbol < 30; symbol++) {
    const uint32_t extra = symbol < 4 ? 0 : (symbol - 2) / 2;
    ranges.offsetExtra[symbol] = static_cast<uint8_t>(extra);
    ranges.offsetBase[symbol] = static_cast<uint16_t>(offset + 1);
    for (uint32_t i = 0; i < 1U << extra; i++, offset++) {
      ranges.offsetSymbol[offset < 256 ? offset : 256 + (offset >> 7)] = static_cast<uint8_t>(symbol);
    }
  }
  return ranges;
}

constexpr Ranges kRanges = makeRanges();

uint32_t symbolOfOffset(uint32_t offset) {
  const uint32_t at = offset - 1;
  return kRanges.offsetSymbol[at < 256 ? at : 256 + (at >> 7)];
}

// Bytes from `at` on that repeat those `offset` before.
MILLRACE_INLINE size_t repeatedBytes(const uint8_t* at, size_t offset, const uint8_t* end) {
  return static_cast<size_t>(repeats::endOfRepeat(at, at - offset, end) - at);
}

}  // namespace

// Bits from the lowest on. Writes eight bytes at a time, so there must be as many more.
class GzipEncoder::BitWriter {
 public:
  explicit BitWriter(uint8_t* to) : to_(to) {}

  // At most 56 bits between two flushes.
  void put(uint64_t bits, uint32_t count) {
    bits_ |= bits << count_;
    count_ += count;
  }
  void put(HuffmanCode code) { put(code.bits, code.length); }

  void flush() {
    storeLittle64(to_, bits_);
    to_ += count_ >> 3;
    bits_ >>= count_ & 56;
    count_ &= 7;
  }

  // Fills up to a byte; answers where that ends.
  uint8_t* end() {
    count_ = (count_ + 7) & ~7U;
    flush();
    return to_;
  }

  // Bytes as they are, with what says so before them.
  void store(const uint8_t* data, size_t count, bool isLast) {
    put(isLast ? 1 : 0, 3);
    uint8_t* const to = end();
    const uint64_t size = count;
    put(size | (~size & 0xffff) << 16, 32);
    flush();
    copyBytes(to + 4, data, count);
    to_ = to + 4 + count;
  }

 private:
  uint8_t* to_;
  uint64_t bits_ = 0;
  uint32_t count_ = 0;
};

// What a block begins with: the lengths of its codes, with runs of one length in short, in a code of their
// own.
class GzipEncoder::CodeLengths {
 public:
  CodeLengths(const HuffmanCode* literals, const HuffmanCode* offsets)
      : literalCount_(used(literals, kLiteralSymbols, kLengthSymbols)),
        offsetCount_(used(offsets, kOffsetSymbols, 1)) {
    uint8_t lengths[kLiteralSymbols + kOffsetSymbols];
    for (size_t i = 0; i < literalCount_; i++) lengths[i] = literals[i].length;
    for (size_t i = 0; i < offsetCount_; i++) lengths[literalCount_ + i] = offsets[i].length;
    const size_t count = literalCount_ + offsetCount_;
    for (size_t i = 0, end = 0; i < count; i = end) {
      for (end = i + 1; end < count && lengths[end] == lengths[i]; end++) continue;
      addRun(lengths[i], end - i);
    }
    makeHuffmanCodes(frequencies_, kCodeLengthSymbols, kCodeLengthBitsMax, codes_);
    while (codeCount_ > 4 && codes_[kOrder[codeCount_ - 1]].length == 0) codeCount_--;
  }

  uint64_t bits() const {
    uint64_t total = 17 + 3 * codeCount_ + 2 * frequencies_[16] + 3 * frequencies_[17] + 7 * frequencies_[18];
    for (size_t i = 0; i < kCodeLengthSymbols; i++) total += uint64_t{frequencies_[i]} * codes_[i].length;
    return total;
  }

  void write(BitWriter* bits, bool isLast) const {
    bits->put((isLast ? 1 : 0) | 2 << 1, 3);
    bits->put(literalCount_ - kLengthSymbols, 5);
    bits->put(offsetCount_ - 1, 5);
    bits->put(codeCount_ - 4, 4);
    bits->flush();
    for (size_t i = 0; i < codeCount_; i++) {
      bits->put(codes_[kOrder[i]].length, 3);
      bits->flush();
    }
    for (size_t i = 0; i < itemCount_; i++) {
      const Item item = items_[i];
      bits->put(codes_[item.symbol]);
      if (item.symbol >= 16) bits->put(item.extra, item.symbol == 16 ? 2 : item.symbol == 17 ? 3 : 7);
      bits->flush();
    }
  }

 private:
  static constexpr uint8_t kOrder[kCodeLengthSymbols] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                         11, 4,  12, 3, 13, 2, 14, 1, 15};
  struct Item {
    uint8_t symbol;
    uint8_t extra;
  };

  // Without those at the end that have no code.
  static size_t used(const HuffmanCode* codes, size_t count, size_t least) {
    while (count > least && codes[count - 1].length == 0) count--;
    return count;
  }

  void add(size_t symbol, size_t extra) {
    items_[itemCount_++] = {static_cast<uint8_t>(symbol), static_cast<uint8_t>(extra)};
    frequencies_[symbol]++;
  }

  // 16 repeats the length before 3 to 6 times, 17 and 18 stand for 3 to 10 and 11 to 138 zeros.
  void addRun(uint8_t length, size_t count) {
    if (length != 0) {
      add(length, 0);
      count--;
    }
    const size_t most = length == 0 ? 138 : 6;
    while (count >= 3) {
      const size_t part = count < most ? count : most;
      const size_t symbol = length != 0 ? 16 : part < 11 ? 17 : 18;
      add(symbol, part - (symbol == 18 ? 11 : 3));
      count -= part;
    }
    for (; count > 0; count--) add(length, 0);
  }

  const size_t literalCount_;
  const size_t offsetCount_;
  size_t codeCount_ = kCodeLengthSymbols;
  Item items_[kLiteralSymbols + kOffsetSymbols];
  size_t itemCount_ = 0;
  uint32_t frequencies_[kCodeLengthSymbols] = {};
  HuffmanCode codes_[kCodeLengthSymbols];
};

MILLRACE_INLINE void GzipEncoder::remember(const uint8_t* at, uint64_t word) {
  const auto place = static_cast<uint16_t>(at - base_);
  long_.places[repeats::slotOf<kHashBits, 8>(word)] = place;
  short_.places[repeats::slotOf<kHashBits, 4>(word)] = place;
}

// Whether something before repeats at `at`. A place is looked up before this one takes it.
MILLRACE_INLINE bool GzipEncoder::matchAt(const uint8_t* at, const uint8_t* end, Match* match) {
  const uint64_t word = loadLittle64(at);
  const auto place = static_cast<uint16_t>(at - base_);
  const uint32_t farther = static_cast<uint16_t>(place - long_.places[repeats::slotOf<kHashBits, 8>(word)]);
  const uint32_t nearer = static_cast<uint16_t>(place - short_.places[repeats::slotOf<kHashBits, 4>(word)]);
  remember(at, word);
  // An offset of 0 is one of a whole 2^16, or of a table without places.
  if (farther - 1 < kWindowBytes && loadLittle64(at - farther) == word) {
    *match = {at, 8 + repeatedBytes(at + 8, farther, end), farther};
    return true;
  }
  if (nearer - 1 >= kWindowBytes || loadLittle32(at - nearer) != static_cast<uint32_t>(word)) return false;
  *match = {at, 4 + repeatedBytes(at + 4, nearer, end), nearer};
  if (match->length == 4 && nearer > kFarBytes) return false;
  preferLongerAt(at + 1, end, match);
  return true;
}

// A longer match at the next position is worth a literal before it.
MILLRACE_INLINE void GzipEncoder::preferLongerAt(const uint8_t* at, const uint8_t* end, Match* match) {
  const uint64_t word = loadLittle64(at);
  const auto place = static_cast<uint16_t>(at - base_);
  uint16_t& latest = long_.places[repeats::slotOf<kHashBits, 8>(word)];
  const uint32_t offset = static_cast<uint16_t>(place - latest);
  latest = place;
  if (offset - 1 >= kWindowBytes || loadLittle64(at - offset) != word) return;
  const size_t length = 8 + repeatedBytes(at + 8, offset, end);
  if (length > match->length) *match = {at, length, offset};
}

// Every second position within a match, and its last.
MILLRACE_INLINE void GzipEncoder::rememberWithin(const uint8_t* from, const uint8_t* to,
                                                 const uint8_t* lastStart) {
  for (const uint8_t* at = from + 2; at < to && at < lastStart; at += 2) remember(at, loadLittle64(at));
  if (to - 1 < lastStart) remember(to - 1, loadLittle64(to - 1));
}

MILLRACE_INLINE void GzipEncoder::addSequence(const uint8_t* literals, const Match& match,
                                              const uint8_t* end) {
  auto count = static_cast<uint32_t>(match.start - literals);
  copyLiterals(&literals_[literalCount_], literals, count, end);
  literalCount_ += count;
  const auto offset = static_cast<uint16_t>(match.offset);
  size_t left = match.length;
  // What is left of a longer one is a match, too.
  for (; MILLRACE_UNLIKELY(left > kMatchMost); count = 0) {
    const size_t part = left < kMatchMost + kRepeatLeast ? kMatchMost - kRepeatLeast : kMatchMost;
    sequences_[sequenceCount_++] = {count, static_cast<uint16_t>(part), offset};
    left -= part;
  }
  sequences_[sequenceCount_++] = {count, static_cast<uint16_t>(left), offset};
}

// Fills the sequences and literals of a block. What is before it may be repeated; it is not read beyond.
void GzipEncoder::findSequences(const uint8_t* begin, const uint8_t* end) {
  sequenceCount_ = 0;
  literalCount_ = 0;
  const uint8_t* written = begin;
  if (end - begin > kMatchStartBytes) {
    const uint8_t* const lastStart = end - kMatchStartBytes;
    const uint8_t* at = begin;
    while (at < lastStart) {
      Match match;
      if (!matchAt(at, end, &match)) {
        at += 1 + (static_cast<size_t>(at - written) >> kPatienceBits);
        continue;
      }
      if (match.length < kEnoughBytes) preferLongerAt(match.start + 1, end, &match);
      const uint8_t* const matchEnd = match.start + match.length;
      const uint8_t* earlier = match.start - match.offset;
      while (match.start > written && earlier > base_ && match.start[-1] == earlier[-1]) {
        match.start--;
        earlier--;
      }
      match.length = static_cast<size_t>(matchEnd - match.start);
      addSequence(written, match, end);
      rememberWithin(match.start, matchEnd, lastStart);
      at = written = matchEnd;
    }
  }
  const auto rest = static_cast<size_t>(end - written);
  copyBytes(&literals_[literalCount_], written, rest);
  literalCount_ += rest;
}

void GzipEncoder::countSymbols() {
  std::memset(literalFrequencies_, 0, sizeof literalFrequencies_);
  std::memset(offsetFrequencies_, 0, sizeof offsetFrequencies_);
  literalFrequencies_[kEndOfBlock] = 1;
  for (size_t i = 0; i < literalCount_; i++) literalFrequencies_[literals_[i]]++;
  for (size_t i = 0; i < sequenceCount_; i++) {
    literalFrequencies_[kLengthSymbols + kRanges.lengthSymbol[sequences_[i].length]]++;
    offsetFrequencies_[symbolOfOffset(sequences_[i].offset)]++;
  }
}

uint64_t GzipEncoder::bitsOfSymbols() const {
  uint64_t total = 0;
  for (size_t i = 0; i < kLiteralSymbols; i++) {
    const uint32_t extra = i < kLengthSymbols ? 0U : kRanges.lengthExtra[i - kLengthSymbols];
    total += uint64_t{literalFrequencies_[i]} * (literalCodes_[i].length + extra);
  }
  for (size_t i = 0; i < kOffsetSymbols; i++) {
    total += uint64_t{offsetFrequencies_[i]} * (offsetCodes_[i].length + uint32_t{kRanges.offsetExtra[i]});
  }
  return total;
}

void GzipEncoder::writeSymbols(BitWriter* bits) const {
  // A length's code with its extra bits: at most 20 of them.
  struct LengthCode {
    uint32_t bits;
    uint32_t count;
  };
  LengthCode lengths[kMatchMost + 1];
  for (size_t length = 3; length <= kMatchMost; length++) {
    const size_t symbol = kRanges.lengthSymbol[length];
    const HuffmanCode code = literalCodes_[kLengthSymbols + symbol];
    const auto extra = static_cast<uint32_t>(length - kRanges.lengthBase[symbol]);
    lengths[length] = {code.bits | extra << code.length, uint32_t{code.length} + kRanges.lengthExtra[symbol]};
  }
  const uint8_t* literal = literals_;
  const auto writeLiterals = [&](size_t count) {
    for (; count >= 3; count -= 3, literal += 3) {
      for (int i = 0; i < 3; i++) bits->put(literalCodes_[literal[i]]);
      bits->flush();
    }
    for (; count > 0; count--) bits->put(literalCodes_[*literal++]);
    bits->flush();
  };
  for (size_t i = 0; i < sequenceCount_; i++) {
    const Sequence& sequence = sequences_[i];
    if (sequence.literals > 0) writeLiterals(sequence.literals);
    const uint32_t symbol = symbolOfOffset(sequence.offset);
    bits->put(lengths[sequence.length].bits, lengths[sequence.length].count);
    bits->put(offsetCodes_[symbol]);
    bits->put(sequence.offset - uint64_t{kRanges.offsetBase[symbol]}, kRanges.offsetExtra[symbol]);
    bits->flush();
  }
  writeLiterals(static_cast<size_t>(literals_ + literalCount_ - literal));
  bits->put(literalCodes_[kEndOfBlock]);
  bits->flush();
}

size_t GzipEncoder::encode(const uint8_t* data, size_t count, uint8_t* output) {
  constexpr uint8_t header[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};
  std::memcpy(output, header, sizeof header);
  std::memset(&long_, 0, sizeof long_);
  std::memset(&short_, 0, sizeof short_);
  base_ = data;
  BitWriter bits(output + sizeof header);
  size_t blocks = count == 0 ? 1 : (count + kBlockBytesMax - 1) / kBlockBytesMax;
  const uint8_t* at = data;
  for (size_t left = count; blocks > 0; blocks--) {
    const size_t blockBytes = left / blocks;
    findSequences(at, at + blockBytes);
    countSymbols();
    makeHuffmanCodes(literalFrequencies_, kLiteralSymbols, kHuffmanBitsMax, literalCodes_);
    makeHuffmanCodes(offsetFrequencies_, kOffsetSymbols, kHuffmanBitsMax, offsetCodes_);
    const CodeLengths lengths(literalCodes_, offsetCodes_);
    if (lengths.bits() + bitsOfSymbols() < 8 * uint64_t{blockBytes} + 32) {
      lengths.write(&bits, blocks == 1);
      writeSymbols(&bits);
    } else {
      bits.store(at, blockBytes, blocks == 1);
    }
    at += blockBytes;
    left -= blockBytes;
  }
  uint8_t* const trailer = bits.end();
  const uint64_t crc = ~crcOfSlices(kCrc32, ~0U, data, count);
  storeLittle64(trailer, (crc & 0xffffffff) | static_cast<uint64_t>(count) << 32);
  return static_cast<size_t>(trailer + 8 - output);
}

}  // namespace millrace
