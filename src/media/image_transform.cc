#include "media/image_transform.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <span>

#include "base/error.h"
#include "media/internal/image_format.h"

namespace hearth::media {
namespace {

constexpr uint32_t kLongestSide = 1u << 15;
constexpr uint64_t kMostPixels = uint64_t{1} << 27;
// 32 bits less the 8 of a channel, and 2 for sums of weights that pass 1 before negative ones bring
// them back.
constexpr int kPrecisionBits = 32 - 8 - 2;

double Sinc(double x) {
  return x == 0 ? 1 : std::sin(x * std::numbers::pi) / (x * std::numbers::pi);
}

double Box(double x) { return x > -0.5 && x <= 0.5 ? 1 : 0; }

double Triangle(double x) { return std::max(0.0, 1 - std::fabs(x)); }

double Hamming(double x) {
  x = std::fabs(x);
  if (x >= 1) return 0;
  // Single precision, as the weights to be equal to have it.
  return Sinc(x) * (0.54f + 0.46f * std::cos(x * std::numbers::pi));
}

double Cubic(double x) {  // Keys' with a = -0.5
  constexpr double a = -0.5;
  x = std::fabs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

double Lanczos(double x) { return x >= -3 && x < 3 ? Sinc(x) * Sinc(x / 3) : 0; }

struct Filter {
  double (*weight)(double x);
  double reach;  // it is 0 further than this from its middle
};

Filter FilterOf(Resample name) {
  switch (name) {
    case Resample::kBicubic:
      return {Cubic, 2};
    case Resample::kLanczos:
      return {Lanczos, 3};
    case Resample::kBox:
      return {Box, 0.5};
    case Resample::kHamming:
      return {Hamming, 1};
    default:
      return {Triangle, 1};
  }
}

// One side of a picture: which old pixels make each new one, and by how much.
struct Plan {
  struct Window {
    uint32_t first, count;  // old pixels
    size_t weights;         // their place in `weights`
  };
  std::vector<Window> windows;  // one a new pixel
  std::vector<int32_t> weights;
};

Plan MakePlan(uint32_t from, uint32_t to, Filter filter) {
  const double scale = static_cast<double>(from) / to;
  const double stretch = std::max(scale, 1.0);  // a picture that shrinks is averaged, not sampled
  const double reach = filter.reach * stretch, step = 1.0 / stretch;
  Plan plan;
  plan.windows.reserve(to);
  std::vector<double> window;
  for (uint32_t i = 0; i < to; ++i) {
    const double middle = (i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(middle - reach + 0.5));
    const int end = std::min(static_cast<int>(from), static_cast<int>(middle + reach + 0.5));
    window.clear();
    double sum = 0;
    for (int x = first; x < end; ++x) {
      window.push_back(filter.weight((x - middle + 0.5) * step));
      sum += window.back();
    }
    plan.windows.push_back(
        {static_cast<uint32_t>(first), static_cast<uint32_t>(window.size()), plan.weights.size()});
    for (double weight : window) {
      double scaled = (sum != 0 ? weight / sum : weight) * (1 << kPrecisionBits);
      plan.weights.push_back(static_cast<int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5));
    }
  }
  return plan;
}

constexpr int32_t kHalf = 1 << (kPrecisionBits - 1);

uint8_t Rounded(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255));
}

void ResizeRow(const uint8_t* row, const Plan& plan, uint8_t* out) {
  for (const Plan::Window& window : plan.windows) {
    const int32_t* weight = &plan.weights[window.weights];
    const uint8_t* pixel = row + size_t{3} * window.first;
    int32_t red = kHalf, green = kHalf, blue = kHalf;
    for (uint32_t i = 0; i < window.count; ++i, pixel += 3) {
      red += pixel[0] * weight[i];
      green += pixel[1] * weight[i];
      blue += pixel[2] * weight[i];
    }
    *out++ = Rounded(red);
    *out++ = Rounded(green);
    *out++ = Rounded(blue);
  }
}

// New columns in the rows from `first_row` to `end_row`; the others are left out.
Image ResizeAcross(const Image& image, uint32_t first_row, uint32_t end_row, uint32_t width,
                   Filter filter) {
  const Plan plan = MakePlan(image.width, width, filter);
  Image out = MakeImage(width, end_row - first_row);
  for (uint32_t y = 0; y < out.height; ++y) {
    ResizeRow(&image.rgb[size_t{3} * image.width * (first_row + y)], plan,
              &out.rgb[size_t{3} * width * y]);
  }
  return out;
}

// New rows from whole old ones. `image` lacks the first `missing` rows that the plan counts.
Image ResizeDown(const Image& image, uint32_t missing, const Plan& plan) {
  Image out = MakeImage(image.width, static_cast<uint32_t>(plan.windows.size()));
  const size_t row_bytes = size_t{3} * out.width;
  std::vector<int32_t> sums(row_bytes);
  uint8_t* to = out.rgb.data();
  for (const Plan::Window& window : plan.windows) {
    std::fill(sums.begin(), sums.end(), kHalf);
    for (uint32_t i = 0; i < window.count; ++i) {
      const int32_t weight = plan.weights[window.weights + i];
      const uint8_t* row = &image.rgb[row_bytes * (window.first - missing + i)];
      for (size_t x = 0; x < row_bytes; ++x) sums[x] += row[x] * weight;
    }
    for (size_t x = 0; x < row_bytes; ++x) *to++ = Rounded(sums[x]);
  }
  return out;
}

// Old indices of new pixels; the sum is carried along, as its rounding is part of the result.
std::vector<uint32_t> NearestOf(uint32_t from, uint32_t to) {
  std::vector<uint32_t> indices;
  indices.reserve(to);
  const double step = static_cast<double>(from) / to;
  double at = step * 0.5;
  for (uint32_t i = 0; i < to; ++i, at += step)
    indices.push_back(std::min(static_cast<uint32_t>(at), from - 1));
  return indices;
}

Image ResizeNearest(const Image& image, uint32_t width, uint32_t height) {
  Image out = MakeImage(width, height);
  std::vector<uint32_t> columns = NearestOf(image.width, width),
                        rows = NearestOf(image.height, height);
  uint8_t* to = out.rgb.data();
  for (uint32_t y : rows) {
    const uint8_t* row = &image.rgb[size_t{3} * image.width * y];
    for (uint32_t x : columns) {
      std::memcpy(to, row + size_t{3} * x, 3);
      to += 3;
    }
  }
  return out;
}

// Each pass rounds to 8 bits, so that their order is part of the result. This is Pillow 13's, as
// measured: rows are made fewer first where that takes away more than twice as many as there are
// columns to go.
bool IsDownFirst(const Image& image, uint32_t width, uint32_t height) {
  const int64_t rows = int64_t{image.height} - height, columns = int64_t{image.width} - width;
  return rows > std::max<int64_t>(0, 2 * columns);
}

Image ResizeFiltered(const Image& image, uint32_t width, uint32_t height, Filter filter) {
  const bool wide = width != image.width, tall = height != image.height;
  if (!tall) return ResizeAcross(image, 0, height, width, filter);
  const Plan down = MakePlan(image.height, height, filter);
  if (!wide) return ResizeDown(image, 0, down);
  if (IsDownFirst(image, width, height))
    return ResizeAcross(ResizeDown(image, 0, down), 0, height, width, filter);
  // Rows that no new row looks at need not be made.
  const uint32_t first_row = down.windows.front().first;
  const uint32_t end_row = down.windows.back().first + down.windows.back().count;
  return ResizeDown(ResizeAcross(image, first_row, end_row, width, filter), first_row, down);
}

void Check(const Image& image, uint32_t width, uint32_t height) {
  const bool whole = image.width > 0 && image.height > 0 && image.width <= kLongestSide &&
                     image.height <= kLongestSide &&
                     image.rgb.size() == size_t{3} * image.width * image.height;
  if (!whole) throw Error(Code::kInvalidArgument, "this is no whole picture");
  const uint64_t rows = std::max(height, image.height);
  if (width == 0 || height == 0 || width > kLongestSide || height > kLongestSide ||
      width * rows > kMostPixels) {
    throw Error(Code::kInvalidArgument,
                fmt::format("a picture of {} x {} pixels cannot be made from one of {} x {}", width,
                            height, image.width, image.height));
  }
}

}  // namespace

Image Resize(const Image& image, uint32_t width, uint32_t height, Resample filter) {
  Check(image, width, height);
  if (width == image.width && height == image.height) return image;
  if (filter == Resample::kNearest) return ResizeNearest(image, width, height);
  return ResizeFiltered(image, width, height, FilterOf(filter));
}

Image CenterCrop(const Image& image, uint32_t width, uint32_t height) {
  Check(image, width, height);
  Image out = MakeImage(width, height);
  const uint32_t columns = std::min(width, image.width), rows = std::min(height, image.height);
  const uint32_t from_x = (image.width - columns) / 2, from_y = (image.height - rows) / 2;
  const uint32_t to_x = (width - columns) / 2, to_y = (height - rows) / 2;
  for (uint32_t y = 0; y < rows; ++y) {
    std::memcpy(&out.rgb[3 * (size_t{width} * (to_y + y) + to_x)],
                &image.rgb[3 * (size_t{image.width} * (from_y + y) + from_x)], size_t{3} * columns);
  }
  return out;
}

}  // namespace hearth::media
