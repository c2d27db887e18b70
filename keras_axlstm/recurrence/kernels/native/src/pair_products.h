// Products of pairs of tiles of a head: queries and gradients of one with keys and values of another.
// On the vector unit in float32 or on the tile unit in bfloat16.
#pragma once

#include "head.h"
#include "product.h"

namespace axlstm {

constexpr int kStrip = kTile / 2;  // rows that read the columns of their own tile at a time

class VectorProducts {
 public:
  VectorProducts(const Head& head, bool backward, Scratch& scratch)
      : head_(head),
        stride_(head.stride),
        keys_(scratch.floats(head.start(head.tiles))),
        values_(backward ? scratch.floats(head.start(head.tiles)) : nullptr) {
    for (int tile = 0; tile < head.tiles; ++tile) {
      transpose(head.key_of(tile), stride_, keys_ + head.start(tile), kTile, kTile, head.dim);
      if (values_)
        transpose(head.value_of(tile), stride_, values_ + head.start(tile), kTile, kTile, head.dim);
    }
  }

  // scores (count, kTile) = q k^T of the rows from `first` on with the first `columns` steps.
  void score(int tile, int first, int count, int source, int columns, float* scores) const {
    multiply<false>(rows(head_.query_of(tile) + size_t(first) * stride_, stride_),
                    keys_ + head_.start(source), kTile, scores, kTile, count, columns, head_.dim);
  }

  // h (count, stride) += scores v.
  void add_values(const float* scores, int count, int source, int columns, float* h) const {
    multiply<true>(rows(scores, kTile), head_.value_of(source), stride_, h, stride_, count, stride_,
                   columns);
  }

  // dh (kTile, stride) of the rows for what follows.
  void set_gradients(const float* dh) { dh_ = dh; }

  // products (kTile, kTile) = dh v^T.
  void score_gradients(int source, float* products) const {
    multiply<false>(rows(dh_, stride_), values_ + head_.start(source), kTile, products, kTile,
                    kTile, kTile, head_.dim);
  }

  // dq += dscores k, dk += dscores^T q and dv += weights^T dh, all (kTile, stride).
  void add_gradients(int tile, int source, const float* dscores, const float* weights, float* dq,
                     float* dk, float* dv) const {
    const auto add = [&](Left left, const float* right, float* target) {
      multiply<true>(left, right, stride_, target, stride_, kTile, stride_, kTile);
    };
    add(rows(dscores, kTile), head_.key_of(source), dq);
    add(transposed(dscores, kTile), head_.query_of(tile), dk);
    add(transposed(weights, kTile), dh_, dv);
  }

 private:
  const Head& head_;
  int stride_;
  float *keys_, *values_;  // (tiles, stride, kTile): columns of a tile side by side
  const float* dh_ = nullptr;
};

#ifdef AXLSTM_TILES

// Tiles of a head as one side of a product, (outers, depths) each, in `kCount` bfloat16 a number.
template <int kCount>
class PackedTiles {
 public:
  PackedTiles(int outers, int depths, int tiles, Scratch& scratch)
      : strips_(round_up(outers, kSquare) / kSide),
        depths_(depths),
        next_(round_up(depths, kDepth) / kDepth * kCount * kTileSize),
        data_(reinterpret_cast<uint16_t*>(scratch.floats(size_t(tiles) * strips_ * next_ / 2))) {}

  // The first `outers` from the rows of `source`, which are depths if transposed.
  template <bool kRight>
  void set(int tile, int outers, const float* source, ptrdiff_t stride, bool transposed) const {
    pack_parts<kRight, kCount>(Operand<float>{source, stride, transposed}, outers, depths_,
                               at(tile));
  }

  uint16_t* at(int tile, int outer = 0) const {
    return data_ + (size_t(tile) * strips_ + outer / kSide) * next_;
  }

  ptrdiff_t next() const { return next_; }

 private:
  int strips_, depths_;
  ptrdiff_t next_;
  uint16_t* data_;
};

// c (rows, columns) = or += the rows of `left` from `first` on times the columns of `right`, over the
// first `depths`.
template <bool kAccumulate, int kCount>
static void multiply(const PackedTiles<kCount>& left, int left_tile, int first,
                     const PackedTiles<kCount>& right, int right_tile, int depths, float* c,
                     ptrdiff_t stride, int rows, int columns) {
  for (int row = 0; row < rows; row += kSquare)
    for (int column = 0; column < columns; column += kSquare)
      multiply_square<kCount>(left.at(left_tile, first + row), right.at(right_tile, column),
                              left.next(), (depths + kDepth - 1) / kDepth, kAccumulate,
                              c + row * stride + column, stride, std::min(kSquare, rows - row),
                              std::min(kSquare, columns - column));
}

// Scores that nearly cancel are divided by what is left of them, and gradients of gates are what is
// left of all gradients of scores: both are computed from two bfloat16 a number, all else from one.
class TileProducts {
 public:
  TileProducts(const Head& head, bool backward, Scratch& scratch)
      : stride_(head.stride),
        dim_(head.dim),
        query_(kTile, dim_, head.tiles, scratch),
        key_(kTile, dim_, head.tiles, scratch),
        value_of_step_(stride_, kTile, head.tiles, scratch),
        scores_(kTile, kTile, 1, scratch),
        dh_(kTile, dim_, backward, scratch),
        value_(kTile, dim_, backward ? head.tiles : 0, scratch),
        query_of_step_(stride_, kTile, backward ? head.tiles : 0, scratch),
        key_of_step_(stride_, kTile, backward ? head.tiles : 0, scratch),
        dh_of_step_(stride_, kTile, backward, scratch) {
    for (int tile = 0; tile < head.tiles; ++tile) {
      query_.set<false>(tile, kTile, head.query_of(tile), stride_, false);
      key_.set<true>(tile, kTile, head.key_of(tile), stride_, false);
      value_of_step_.set<true>(tile, stride_, head.value_of(tile), stride_, true);
      if (!backward) continue;
      value_.set<true>(tile, kTile, head.value_of(tile), stride_, false);
      query_of_step_.set<true>(tile, stride_, head.query_of(tile), stride_, true);
      key_of_step_.set<true>(tile, stride_, head.key_of(tile), stride_, true);
    }
  }

  void score(int tile, int first, int count, int source, int columns, float* scores) const {
    multiply<false>(query_, tile, first, key_, source, dim_, scores, kTile, count, columns);
  }

  void add_values(const float* scores, int count, int source, int columns, float* h) const {
    scores_.set<false>(0, count, scores, kTile, false);
    multiply<true>(scores_, 0, 0, value_of_step_, source, columns, h, stride_, count, stride_);
  }

  void set_gradients(const float* dh) const {
    dh_.set<false>(0, kTile, dh, stride_, false);
    dh_of_step_.set<true>(0, stride_, dh, stride_, true);
  }

  void score_gradients(int source, float* products) const {
    multiply<false>(dh_, 0, 0, value_, source, dim_, products, kTile, kTile, kTile);
  }

  void add_gradients(int tile, int source, const float* dscores, const float* weights, float* dq,
                     float* dk, float* dv) const {
    const auto add = [&](const float* left, bool transposed, const PackedTiles<1>& right, int at,
                         float* target) {
      scores_.set<false>(0, kTile, left, kTile, transposed);
      multiply<true>(scores_, 0, 0, right, at, kTile, target, stride_, kTile, stride_);
    };
    add(dscores, false, key_of_step_, source, dq);
    add(dscores, true, query_of_step_, tile, dk);
    add(weights, true, dh_of_step_, 0, dv);
  }

 private:
  TileRegisters registers_;
  int stride_, dim_;
  // Depths are channels, or steps where the name says so.
  PackedTiles<2> query_, key_;
  PackedTiles<1> value_of_step_, scores_;
  PackedTiles<2> dh_, value_;
  PackedTiles<1> query_of_step_, key_of_step_, dh_of_step_;
};

#endif

// Calls use(products) with those for a head whose inputs are of type T.
template <typename T, typename Use>
static void with_products(const Head& head, bool backward, Scratch& scratch, const Use& use) {
#ifdef AXLSTM_TILES
  if constexpr (sizeof(T) < sizeof(float))
    if (tiles_permitted()) {
      TileProducts products(head, backward, scratch);
      return use(products);
    }
#endif
  VectorProducts products(head, backward, scratch);
  use(products);
}

}  // namespace axlstm
