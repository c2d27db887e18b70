// A whole residual block at inference, in float32:
//
//   [u, z] = norm(x) (1 + w) Wup    y = the middle of the block, as in mixer.h    out = x + y Wdown
//
// A head's channels stay in the cache of one thread, from the columns of Wup that make them to the
// rows of Wdown that read them: to fetch what another core has written takes longer than to multiply
// it. Threads share the normalised x, the sums of the gates, and the heads' parts of the result.
#pragma once

#include "block_parameters.h"
#include "product.h"

#ifdef AXLSTM_TILES

namespace axlstm {

// Floats of a row of a head's part of the result.
inline int out_stride(const BlockShape& shape) { return round_up(shape.width, kSquare); }

// One side of a product in tiles: for every 16 rows or columns a strip over all depths.
struct Strips {
  uint16_t* data;
  int depth_tiles;
  ptrdiff_t next;  // from one strip to the following

  Strips(int count, int depth, Scratch& scratch)
      : depth_tiles((depth + kDepth - 1) / kDepth),
        next(ptrdiff_t(depth_tiles) * kParts<float> * kTileSize) {
    data = reinterpret_cast<uint16_t*>(scratch.floats(size_t(count) * next / 2));
  }

  uint16_t* at(int strip) const { return data + strip * next; }
};

// The strips of 32 rows times two strips of columns; those of the result need not be neighbours.
static void multiply_strips(const Strips& left, int row, const Strips& right, int column,
                            float* first, float* second, ptrdiff_t stride) {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  multiply_tiles<kParts<float>>(left.at(row), right.at(column), left.next, left.depth_tiles);
  const size_t bytes = stride * sizeof(float);
  _tile_stored(0, first, bytes);
  _tile_stored(1, second, bytes);
  _tile_stored(2, first + kSide * stride, bytes);
  _tile_stored(3, second + kSide * stride, bytes);
}

// norm(x) (1 + w) of the rows of a tile, zeros after the last one.
static void normalise_rows(const BlockShape& shape, int b, int tile, const float* x,
                           const float* scale, float epsilon, float* rows) {
  const int width = shape.width;
  for (int i = 0; i < kTile; ++i) {
    const int t = tile * kTile + i;
    float* row = rows + size_t(i) * width;
    if (t >= shape.steps) {
      std::fill_n(row, width, 0.0f);
      continue;
    }
    const float* source = x + shape.position(b, t) * width;
    const int whole = width / kLanes * kLanes;
    Vector sums{}, squares{};
    for (int d = 0; d < whole; d += kLanes) sums += load(source + d);
    const float mean = (sum(sums) + std::accumulate(source + whole, source + width, 0.0f)) / width;
    for (int d = 0; d < width; ++d) row[d] = source[d] - mean;
    for (int d = 0; d < whole; d += kLanes) squares += load(row + d) * load(row + d);
    const float square = std::inner_product(row + whole, row + width, row + whole, sum(squares));
    const float deviation = 1.0f / std::sqrt(square / width + epsilon);
    for (int d = 0; d < width; ++d) row[d] *= deviation * (1.0f + scale[d]);
  }
}

// What the phases leave to each other; rows are those of whole tiles, in the order of the recurrence.
struct BlockBuffers {
  FoldedParameters folded;
  std::vector<Strips> normalised;  // of every batch element
  // Of every batch element and head:
  std::vector<ForwardBuffers> heads;
  std::vector<float*> z;    // (rows, stride), in its place later y
  std::vector<float*> out;  // (rows, width rounded up), a head's part of the result
  float* gates;

  BlockBuffers(const BlockShape& shape, const BlockParameters& all, Scratch& scratch)
      : folded(shape, all, scratch),
        gates(scratch.floats(size_t(shape.batch) * shape.steps * 2 * shape.heads)) {
    const size_t rows = shape.rows();
    for (int b = 0; b < shape.batch; ++b) {
      normalised.emplace_back(shape.rows() / kSide, shape.width, scratch);
      for (int h = 0; h < shape.heads; ++h) {
        heads.push_back({Inputs(shape, scratch),
                         scratch.floats(size_t(shape.steps) * 2 * shape.heads)});
        z.push_back(scratch.floats(rows * shape.stride()));
        out.push_back(scratch.floats(rows * out_stride(shape)));
      }
    }
  }
};

// Two strips of a head's columns of the up projection, counted over those of u and then of z.
static void pack_up(const BlockShape& shape, const float* up, int h, int column,
                    const Strips& strips) {
  const int count = shape.stride() / kSide;
  for (int i = 0; i < 2; ++i) {
    const int half = (column + i) / count, first = (column + i) % count * kSide;
    const float* start = up + half * shape.channels() + h * shape.dim + first;
    pack<true>(Operand<float>{start, 2 * shape.channels(), true},
               std::min(kSide, shape.dim - first), shape.width, strips.at(i));
  }
}

// Two strips of columns of u and z of a head.
static void project_up(const BlockShape& shape, int column, const Strips& normalised,
                       const Strips& up, float* u, float* z) {
  const int stride = shape.stride(), count = stride / kSide;
  const auto target = [&](int strip, int row) {
    return (strip < count ? u : z) + size_t(row) * stride + strip % count * kSide;
  };
  const TileRegisters registers;
  for (int row = 0; row < shape.rows(); row += kSquare)
    multiply_strips(normalised, row / kSide, up, 0, target(column, row), target(column + 1, row),
                    stride);
}

// A masked step has u = 0.
static void mask_rows(const BlockShape& shape, int b, const float* mask, float* u) {
  const int stride = shape.stride();
  for (int t = 0; t < shape.steps; ++t)
    if (mask[shape.position(b, t)] == 0) std::fill_n(u + size_t(t) * stride, stride, 0.0f);
}

// The rows of the down projection that belong to a head.
static Strips pack_down(const BlockShape& shape, const float* down, int h, Scratch& scratch) {
  const Strips strips(out_stride(shape) / kSide, shape.dim, scratch);
  const float* first = down + size_t(h) * shape.dim * shape.width;
  pack<true>(Operand<float>{first, shape.width, true}, shape.width, shape.dim, strips.data);
  return strips;
}

// y (rows, stride) of a head to its part of the result.
static void project_down(const BlockShape& shape, const float* y, const Strips& down, float* out,
                         Scratch& scratch) {
  const int stride = out_stride(shape);
  const Strips left(kSquare / kSide, shape.dim, scratch);
  const TileRegisters registers;
  for (int row = 0; row < shape.rows(); row += kSquare) {
    pack<false>(Operand<float>{y + size_t(row) * shape.stride(), shape.stride(), false}, kSquare,
                shape.dim, left.data);
    for (int column = 0; column < stride; column += kSquare) {
      float* target = out + size_t(row) * stride + column;
      multiply_strips(left, 0, down, column / kSide, target, target + kSide, stride);
    }
  }
}

// x and out (batch, steps, width); epsilons are those of the first norm and of the heads' one.
static void block_forward(const BlockShape& shape, const float* x, const float* mask,
                          const BlockParameters& all, const float* epsilons, float* out) {
  const int heads = shape.heads, tiles = shape.rows() / kTile, stride = shape.stride();
  // A head's weights are packed once for a group of batch elements.
  const int groups = std::clamp(thread_limit() / heads, 1, std::max(shape.batch, 1));
  const BorrowedScratch shared;
  BlockBuffers buffers(shape, all, *shared);
  const auto every = [&](int piece, const auto& work) {
    for (int b = piece / heads; b < shape.batch; b += groups) work(b, b * heads + piece % heads);
  };
  const auto parameters_of = [&](int h, Scratch& scratch) {
    HeadParameters parameters(shape, stride, scratch);
    parameters.set(shape, buffers.folded, h);
    return parameters;
  };
  const auto prepare = [&](int piece, Scratch& scratch) {
    if (piece < heads) return buffers.folded.fold(shape, all, piece);
    const int b = (piece - heads) / tiles, tile = (piece - heads) % tiles;
    float* rows = scratch.floats(size_t(kTile) * shape.width);
    normalise_rows(shape, b, tile, x, all.norm, epsilons[0], rows);
    pack<false>(Operand<float>{rows, shape.width, false}, kTile, shape.width,
                buffers.normalised[b].at(tile * kTile / kSide));
  };
  const auto begin_head = [&](int piece, Scratch& scratch) {
    const HeadParameters parameters = parameters_of(piece % heads, scratch);
    // So few columns at a time that they stay in the nearest cache.
    const Strips up(2, shape.width, scratch);
    for (int column = 0; column < 2 * stride / kSide; column += 2) {
      pack_up(shape, all.up, piece % heads, column, up);
      every(piece, [&](int b, int unit) {
        project_up(shape, column, buffers.normalised[b], up, buffers.heads[unit].inputs.u,
                   buffers.z[unit]);
      });
    }
    const Scratch::Mark mark = scratch.mark();
    every(piece, [&](int b, int unit) {
      scratch.release(mark);
      const ForwardBuffers& head = buffers.heads[unit];
      if (mask) mask_rows(shape, b, mask, head.inputs.u);
      convolve_inputs(shape, parameters, head.inputs);
      partial_gates(shape, head.inputs, parameters, head.partial, scratch);
    });
  };
  const auto end_head = [&](int piece, Scratch& scratch) {
    const Strips down = pack_down(shape, all.down, piece % heads, scratch);
    const HeadParameters parameters = parameters_of(piece % heads, scratch);
    const Scratch::Mark mark = scratch.mark();
    every(piece, [&](int b, int unit) {
      scratch.release(mark);
      float* z = buffers.z[unit];
      const auto put = [&](int t, const float* row) { copy_row(row, z + t * stride, stride); };
      mix_head<float>(shape, b, piece % heads, z, mask, buffers.heads[unit].inputs, parameters,
                      epsilons[1], buffers.gates, put, Saved{}, scratch);
      scratch.release(mark);
      project_down(shape, z, down, buffers.out[unit], scratch);
    });
  };
  const auto add_heads = [&](int piece, Scratch&) {
    const int b = piece / tiles, first = piece % tiles * kTile;
    for (int t = first; t < std::min(first + kTile, shape.steps); ++t) {
      const size_t at = shape.position(b, t) * shape.width;
      std::copy_n(x + at, shape.width, out + at);
      for (int h = 0; h < heads; ++h) {
        const float* part = buffers.out[b * heads + h] + size_t(t) * out_stride(shape);
        for (int d = 0; d < shape.width; ++d) out[at + d] += part[d];
      }
    }
  };
  parallel_phases(
      {{heads + shape.batch * tiles, prepare},
       {heads * groups, begin_head},
       {shape.batch,
        [&](int b, Scratch&) {
          sum_gates(shape, b, buffers.heads.data() + b * heads, buffers.folded.gate_bias,
                    buffers.gates);
        }},
       {heads * groups, end_head},
       {shape.batch * tiles, add_heads}});
}

}  // namespace axlstm
#endif
