#include "storage/xet/reconstruction.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "storage/xet/internal/reconstruction_vectors.h"

namespace hearth::storage {
namespace {

XorbIndexPtr IndexOf(const internal::VectorXorb& xorb) {
  auto index = std::make_shared<XorbIndex>();
  index->hash = *XetHash::FromText(xorb.hash);
  for (size_t i = 0; i < xorb.chunk_bytes.size(); ++i) {
    index->chunks.push_back({XetHash(), xorb.boundaries[i + 1], xorb.chunk_bytes[i]});
    index->unpacked_bytes += xorb.chunk_bytes[i];
  }
  index->body_bytes = xorb.boundaries.back();
  return index;
}

std::map<XetHash, XorbIndexPtr> Indexes() {
  std::map<XetHash, XorbIndexPtr> indexes;
  for (const internal::VectorXorb& xorb : internal::VectorXorbs()) {
    XorbIndexPtr index = IndexOf(xorb);
    indexes[index->hash] = index;
  }
  return indexes;
}

XetTerm Term(const internal::VectorTerm& term) {
  return {*XetHash::FromText(internal::VectorXorbs()[term.xorb].hash), term.unpacked_bytes,
          term.chunk_start, term.chunk_end};
}

std::vector<XetTerm> Terms(const std::vector<internal::VectorTerm>& from) {
  std::vector<XetTerm> terms;
  for (const internal::VectorTerm& term : from) terms.push_back(Term(term));
  return terms;
}

// One term to a segment; counts the segments that were asked for.
class PiecewiseTerms : public TermSource {
 public:
  explicit PiecewiseTerms(const std::vector<XetTerm>& terms) {
    for (const XetTerm& term : terms) {
      segments_.push_back(std::make_shared<Segment>(Segment{size_bytes_, {term}}));
      size_bytes_ += term.unpacked_bytes;
    }
  }
  uint64_t size_bytes() const override { return size_bytes_; }
  std::shared_ptr<const Segment> SegmentAt(uint64_t offset) const override {
    ++asked_;
    for (const auto& segment : segments_) {
      if (offset < segment->EndOffset()) return segment;
    }
    throw Error(Code::kInternal, "asked behind the end");
  }
  int asked() const { return asked_; }

 private:
  std::vector<std::shared_ptr<const Segment>> segments_;
  uint64_t size_bytes_ = 0;
  mutable int asked_ = 0;
};

void ExpectPlan(const Reconstruction& plan, const internal::VectorCase& expected) {
  EXPECT_EQ(plan.offset_into_first_range, expected.offset_into_first_range);
  EXPECT_EQ(plan.terms, Terms(expected.terms));
  std::map<XorbForm, std::vector<XorbRange>> ranges;
  for (const internal::VectorRange& range : expected.ranges) {
    ranges[*XetHash::FromText(internal::VectorXorbs()[range.xorb].hash)].push_back(
        {range.chunk_start, range.chunk_end, range.first_byte, range.last_byte + 1});
  }
  EXPECT_EQ(plan.xorbs, ranges);
}

Code FaultOf(const std::function<void()>& run) {
  try {
    run();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return Code::kConflict;
}

TEST(PlanReconstruction, PlansEqualTheRecordedOnes) {
  auto indexes = Indexes();
  auto lookup = [&](const XorbForm& xorb) { return indexes.at(xorb.hash); };
  std::vector<XetTerm> terms = Terms(internal::VectorTerms());
  auto whole = MakeTermSource(terms);
  PiecewiseTerms pieces(terms);
  EXPECT_EQ(whole->size_bytes(), 448052u);
  ASSERT_EQ(internal::VectorCases().size(), 11u);
  for (const internal::VectorCase& expected : internal::VectorCases()) {
    SCOPED_TRACE(std::to_string(expected.first) + "-" + std::to_string(expected.last));
    uint64_t end = std::min(expected.last + 1, whole->size_bytes());
    ExpectPlan(PlanReconstruction(*whole, expected.first, end, lookup), expected);
    ExpectPlan(PlanReconstruction(pieces, expected.first, end, lookup), expected);
  }
}

TEST(PlanReconstruction, EveryByteAloneIsCoveredByOneChunk) {
  auto indexes = Indexes();
  auto lookup = [&](const XorbForm& xorb) { return indexes.at(xorb.hash); };
  auto source = MakeTermSource(Terms(internal::VectorTerms()));
  for (uint64_t at = 0; at < source->size_bytes(); at += 97) {
    Reconstruction plan = PlanReconstruction(*source, at, at + 1, lookup);
    ASSERT_EQ(plan.terms.size(), 1u);
    const XetTerm& term = plan.terms[0];
    EXPECT_EQ(term.chunk_end, term.chunk_start + 1);
    EXPECT_EQ(term.unpacked_bytes, indexes[term.xorb]->chunks[term.chunk_start].unpacked_bytes);
    EXPECT_LT(plan.offset_into_first_range, term.unpacked_bytes);
  }
}

TEST(PlanReconstruction, OnlyTheSegmentsOfTheRangeAreLoaded) {
  auto indexes = Indexes();
  auto lookup = [&](const XorbForm& xorb) { return indexes.at(xorb.hash); };
  PiecewiseTerms pieces(Terms(internal::VectorTerms()));
  PlanReconstruction(pieces, 200000, 200001, lookup);
  EXPECT_EQ(pieces.asked(), 1);
  PlanReconstruction(pieces, 111703, 111705, lookup);
  EXPECT_EQ(pieces.asked(), 3);
}

TEST(PlanReconstruction, EmptyRangesNeedNothing) {
  auto fails = [](const XorbForm&) -> XorbIndexPtr { throw Error(Code::kInternal, "asked"); };
  auto empty = MakeTermSource({});
  EXPECT_EQ(empty->size_bytes(), 0u);
  Reconstruction plan = PlanReconstruction(*empty, 0, 0, fails);
  EXPECT_TRUE(plan.terms.empty());
  EXPECT_TRUE(plan.xorbs.empty());
  auto source = MakeTermSource(Terms(internal::VectorTerms()));
  EXPECT_TRUE(PlanReconstruction(*source, 448052, 448052, fails).terms.empty());
}

TEST(PlanReconstruction, RangesOutsideTheFileAndMissingXorbsAreErrors) {
  auto indexes = Indexes();
  auto lookup = [&](const XorbForm& xorb) { return indexes.at(xorb.hash); };
  auto source = MakeTermSource(Terms(internal::VectorTerms()));
  EXPECT_EQ(FaultOf([&] { PlanReconstruction(*source, 0, 448053, lookup); }), Code::kInternal);
  EXPECT_EQ(FaultOf([&] { PlanReconstruction(*source, 2, 1, lookup); }), Code::kInternal);
  auto none = [](const XorbForm&) -> XorbIndexPtr { return nullptr; };
  EXPECT_EQ(FaultOf([&] { PlanReconstruction(*source, 0, 1, none); }), Code::kInternal);
}

TEST(PlanReconstruction, TermsThatDoNotFitTheirXorbAreErrors) {
  auto indexes = Indexes();
  auto lookup = [&](const XorbForm& xorb) { return indexes.at(xorb.hash); };
  XetTerm good = Term(internal::VectorTerms()[0]);
  std::vector<XetTerm> lies(4, good);
  lies[0].chunk_end = 13;
  lies[1].chunk_start = 5;
  lies[2].unpacked_bytes += 200000;
  lies[3].unpacked_bytes = 10;
  for (const XetTerm& lie : lies) {
    auto source = MakeTermSource({lie});
    // The last byte: all chunks before it have to be passed.
    uint64_t size = source->size_bytes();
    EXPECT_EQ(FaultOf([&] {
                PlanReconstruction(*source, size - 1, size, lookup);
                PlanReconstruction(*source, 0, 1, lookup);
              }),
              Code::kInternal);
  }
}

}  // namespace
}  // namespace hearth::storage
