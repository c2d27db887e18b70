// Gradients of mixer_forward.
#pragma once

#include "mixer.h"

namespace axlstm {

AXLSTM_INLINE Vector silu_gradient(Vector x, Vector sigmoid) {
  return sigmoid * (1.0f + x * (1.0f - sigmoid));
}

// From dy to the gradients of z, of h (drows), and of c so far (dc), for one head; rows of all three
// (steps, stride). Adds to the gradients of skip, scale and Wv.
static void output_gradients(const MixerShape& shape, const Head& head, const float* h,
                             const float* z, const float* dy, float epsilon,
                             const HeadParameters& parameters, const Headwise& value_transposed,
                             HeadParameters& gradients, float* dz, float* drows, float* dc,
                             Scratch& scratch) {
  const int stride = head.stride, dim = shape.dim;
  NormalisedRow normalised{scratch.floats(stride), 0};
  for (int t = 0; t < shape.steps; ++t) {
    const size_t row = size_t(t) * stride;
    normalise(parameters, h + row, dim, epsilon, normalised);
    Vector total{}, along{};
    for (int d = 0; d < stride; d += kLanes) {
      const size_t at = row + d;
      const Vector x = load(normalised.x + d), c = load(head.key + at), zed = load(z + at);
      const Vector scale = 1.0f + load(parameters.scale + d), skip = load(parameters.skip + d);
      const Vector open = sigmoid(zed), gradient = load(dy + at);
      store(dz + at, gradient * (x * scale + skip * c) * silu_gradient(zed, open));
      const Vector inner = gradient * zed * open;
      store(gradients.skip + d, load(gradients.skip + d) + inner * c);
      store(gradients.scale + d, load(gradients.scale + d) + inner * x);
      store(dc + at, inner * skip);
      const Vector dx = inner * scale;
      store(drows + at, dx);
      total += dx;
      along += dx * x;
    }
    const float mean = sum(total) / dim, slope = sum(along) / dim;
    for (int d = 0; d < stride; d += kLanes) {
      const size_t at = row + d;
      // Padded channels have x = 0 and no weight in Wv, so what they receive here is dropped.
      const Vector dv =
          (load(drows + at) - mean - load(normalised.x + d) * slope) * normalised.deviation;
      gradients.value.accumulate(load(h + at), dv, d);
      store(drows + at, value_transposed.apply(dv, d));
    }
  }
}

// Gradient of the pre-activations of a head's gates, (batch, steps, 2 heads).
static void gate_gradients(const MixerShape& shape, int b, int h, const float* gates,
                           const float* mask, const float* dlog_i, const float* dlog_f,
                           float* dgates) {
  const auto slope = [](bool sigmoid, float x) { return sigmoid ? 1 / (1 + std::exp(x)) : 1.0f; };
  for (int t = 0; t < shape.steps; ++t) {
    const size_t position = shape.position(b, t), at = position * 2 * shape.heads;
    const bool real = !mask || mask[position] != 0;
    const int f = shape.heads + h;
    dgates[at + h] = real ? dlog_i[t] * slope(shape.sigmoid_input_gate, gates[at + h]) : 0.0f;
    dgates[at + f] = real ? dlog_f[t] * slope(shape.sigmoid_forget_gate, gates[at + f]) : 0.0f;
  }
}

// From the gradients of c and of u as the value, and of the gates, to that of u (du, replaced) and
// the parameters before the recurrence.
static void input_gradients(const MixerShape& shape, int b, Inputs inputs, const float* dgates,
                            float* dc, float* du, const HeadParameters& parameters,
                            HeadParameters& gradients, Scratch& scratch) {
  const int stride = parameters.query.stride, gates = parameters.gates, outputs = 2 * shape.heads;
  float* rows_of_gates = scratch.zeros(size_t(shape.steps) * gates);
  for (int t = 0; t < shape.steps; ++t)
    std::copy_n(dgates + shape.position(b, t) * outputs, outputs,
                rows_of_gates + size_t(t) * gates);
  float* kernel = scratch.zeros(size_t(gates) * stride);
  const auto through_gates = [&](const float* x, float* dx, const float* weights, float* dweights) {
    transpose(weights, gates, kernel, stride, stride, gates);
    multiply<true>(rows(rows_of_gates, gates), kernel, stride, dx, stride, shape.steps, stride,
                   outputs);
    multiply<true>(transposed(x, stride), rows_of_gates, gates, dweights, gates, shape.dim, gates,
                   shape.steps);
  };
  through_gates(inputs.c, dc, parameters.gate_c, gradients.gate_c);
  through_gates(inputs.u, du, parameters.gate_u, gradients.gate_u);

  for (int t = 0; t < shape.steps; ++t)
    for (int d = 0; d < stride; d += kLanes) {
      const size_t at = size_t(t) * stride + d;
      const Vector a = convolve(inputs.u, t, d, parameters, shape.taps, stride);
      const Vector da = load(dc + at) * silu_gradient(a, sigmoid(a));
      store(gradients.bias + d, load(gradients.bias + d) + da);
      for (int tap = std::max(0, shape.taps - 1 - t); tap < shape.taps; ++tap) {
        const size_t source = size_t(t - (shape.taps - 1) + tap) * stride + d;
        float* weight = gradients.convolution + tap * stride + d;
        store(weight, load(weight) + da * load(inputs.u + source));
        store(du + source,
              load(du + source) + da * load(parameters.convolution + tap * stride + d));
      }
    }
}

// Gradients of one batch element and head to their places in those of a batch element: of what
// follows the recurrence and its query, and of what precedes it.
static void store_output_parameters(const MixerShape& shape, int head, const HeadParameters& from,
                                    const Parameters& to) {
  const int dim = shape.dim, first = head * dim;
  std::copy_n(from.scale, dim, to.scale + first);
  std::copy_n(from.skip, dim, to.skip + first);
  from.query.get(to.query + first * kGroup, dim);
  from.value.get(to.value + first * kGroup, dim);
}

static void store_input_parameters(const MixerShape& shape, int head, const HeadParameters& from,
                                   const Parameters& to) {
  const int dim = shape.dim, first = head * dim, outputs = 2 * shape.heads;
  for (int tap = 0; tap < shape.taps; ++tap)
    std::copy_n(from.convolution + tap * from.query.stride, dim,
                to.convolution + tap * shape.channels() + first);
  std::copy_n(from.bias, dim, to.bias + first);
  for (int d = 0; d < dim; ++d) {
    std::copy_n(from.gate_c + d * from.gates, outputs, to.gate_c + (first + d) * outputs);
    std::copy_n(from.gate_u + d * from.gates, outputs, to.gate_u + (first + d) * outputs);
  }
}

// The parameters of a batch element in one array, in the order of Parameters.
struct ParameterSums {
  size_t sizes[9], total = 0;

  explicit ParameterSums(const MixerShape& shape)
      : sizes{size_t(shape.taps) * shape.channels(), size_t(shape.channels()),
              size_t(shape.channels()) * kGroup,     size_t(shape.channels()) * 2 * shape.heads,
              size_t(shape.channels()) * 2 * shape.heads, size_t(2 * shape.heads),
              size_t(shape.channels()) * kGroup,     size_t(shape.channels()),
              size_t(shape.channels())} {
    for (size_t size : sizes) total += size;
  }

  Parameters view(float* start) const {
    Parameters view;
    const size_t* size = sizes;
    for (float** field : view.fields()) {
      *field = start;
      start += *size++;
    }
    return view;
  }
};

// Adds the batch elements up, in their order, whichever thread made them.
static void sum_parameters(const MixerShape& shape, const ParameterSums& layout,
                           const std::vector<float>& parts, const float* dgates,
                           Parameters gradients) {
  const size_t* size = layout.sizes;
  size_t offset = 0;
  for (float** target : gradients.fields()) {
    for (size_t k = 0; k < *size; ++k) {
      float total = 0;
      for (int b = 0; b < shape.batch; ++b) total += parts[b * layout.total + offset + k];
      (*target)[k] = total;
    }
    offset += *size++;
  }
  for (int o = 0; o < 2 * shape.heads; ++o) {
    double total = 0;
    for (int row = 0; row < shape.batch * shape.steps; ++row)
      total += double(dgates[size_t(row) * 2 * shape.heads + o]);
    gradients.gate_bias[o] = float(total);
  }
}

template <typename T>
static void store_half(const MixerShape& shape, int b, int head, const float* rows, int stride,
                       const float* mask, bool second, T* duz) {
  const int first = (second ? shape.channels() : 0) + head * shape.dim;
  for (int t = 0; t < shape.steps; ++t) {
    const size_t position = shape.position(b, t);
    T* target = duz + position * 2 * shape.channels() + first;
    if (second || !mask || mask[position] != 0)
      copy_row(rows + size_t(t) * stride, target, shape.dim);
    else
      std::fill_n(target, shape.dim, T{});
  }
}

// Buffers of a head between the phases of the backward pass.
struct BackwardBuffers {
  Inputs inputs;
  float *dc, *du;  // (tiles * kTile, stride)
};

// The first phase: from dy to the gradients of z, of c and u so far, and of the gates.
template <typename T>
static void through_recurrence(const MixerShape& shape, int b, int n, const T* uz,
                               const float* mask, const Parameters& all, float epsilon,
                               const float* gates, Saved saved, const T* dy,
                               const HeadParameters& parameters, HeadParameters& dparameters,
                               BackwardBuffers& buffers, T* duz, float* dgates, Scratch& scratch) {
  Head head(shape.steps, shape.dim, scratch, buffers.inputs.c, buffers.inputs.u);
  const int stride = head.stride;
  project_query(parameters, head);
  load_gates(shape, b, n, gates, mask, head);
  head.prepare(kEmpty);

  const size_t padded = size_t(head.tiles) * kTile;
  float *h = head.padded_rows(scratch), *dh = head.padded_rows(scratch);
  float *z = head.padded_rows(scratch), *rows = head.padded_rows(scratch);
  const RowSums sums = gather_sums(shape, b, n, saved.l, saved.m, head, scratch);
  gather(shape, b, n, saved.h, h, stride);
  load_half(shape, b, n, uz, mask, true, z, stride);
  gather(shape, b, n, dy, rows, stride);

  Headwise value_transposed{scratch.zeros(size_t(kGroup) * stride), stride};
  value_transposed.set(all.value + n * shape.dim * kGroup, shape.dim, true);
  output_gradients(shape, head, h, z, rows, epsilon, parameters, value_transposed, dparameters, z,
                   dh, buffers.dc, scratch);
  store_half(shape, b, n, z, stride, mask, true, duz);

  std::fill_n(buffers.du, padded * stride, 0.0f);
  Gradients recurrence(head, scratch, buffers.du);
  float dm = 0;
  StateGradients states{};
  if (shape.chunked())
    states = {States{}.gather(shape, 0, head, scratch), States{}.gather(shape, 0, head, scratch),
              &dm};
  with_products<T>(head, true, scratch, [&](auto& products) {
    backward(head, products, shape.chunk, shape.chunked() ? &states : nullptr, h, dh, sums,
             recurrence, scratch);
  });

  Headwise query_transposed{scratch.zeros(size_t(kGroup) * stride), stride};
  query_transposed.set(all.query + n * shape.dim * kGroup, shape.dim, true);
  for (int t = 0; t < shape.steps; ++t)
    for (int d = 0; d < stride; d += kLanes) {
      const size_t at = size_t(t) * stride + d;
      const Vector dquery = load(recurrence.query + at);
      dparameters.query.accumulate(load(head.key + at), dquery, d);
      store(buffers.dc + at, load(buffers.dc + at) + load(recurrence.key + at) +
                                 query_transposed.apply(dquery, d));
    }
  float* dlog_f = scratch.floats(padded);
  forget_gradients(head, recurrence, dlog_f);
  gate_gradients(shape, b, n, gates, mask, recurrence.column_sums, dlog_f, dgates);
}

// dy (batch, steps, channels) to duz (batch, steps, 2 channels) and the parameters' gradients.
template <typename T>
static void mixer_backward(const MixerShape& shape, const T* uz, const float* mask,
                           const Parameters& all, float epsilon, const float* gates, Saved saved,
                           const T* dy, T* duz, const Parameters& gradients) {
  prefer_large_pages(duz, 2 * shape.numbers());
  const ParameterSums layout(shape);
  std::vector<float> parts(layout.total * shape.batch);
  std::vector<float> dgates(size_t(shape.batch) * shape.steps * 2 * shape.heads);
  const int stride = round_up(shape.dim, kLanes);
  const auto part = [&](int b) { return layout.view(parts.data() + b * layout.total); };
  two_phases(
      shape.batch, shape.heads,
      [&](Scratch& scratch) {
        const auto rows = [&] { return padded_rows(shape.steps, shape.dim, scratch); };
        return BackwardBuffers{Inputs(shape, scratch), rows(), rows()};
      },
      [&](int b, int h, BackwardBuffers& buffers, Scratch& scratch) {
        HeadParameters parameters(shape, stride, scratch), dparameters(shape, stride, scratch);
        parameters.set(shape, all, h);
        load_inputs(shape, b, h, uz, mask, parameters, buffers.inputs);
        through_recurrence(shape, b, h, uz, mask, all, epsilon, gates, saved, dy, parameters,
                           dparameters, buffers, duz, dgates.data(), scratch);
        store_output_parameters(shape, h, dparameters, part(b));
      },
      [](int, const BackwardBuffers*) {},
      [&](int b, int h, BackwardBuffers& buffers, Scratch& scratch) {
        HeadParameters parameters(shape, stride, scratch), dparameters(shape, stride, scratch);
        parameters.set(shape, all, h);
        input_gradients(shape, b, buffers.inputs, dgates.data(), buffers.dc, buffers.du, parameters,
                        dparameters, scratch);
        store_half(shape, b, h, buffers.du, stride, mask, false, duz);
        store_input_parameters(shape, h, dparameters, part(b));
      });
  sum_parameters(shape, layout, parts, dgates.data(), gradients);
}

}  // namespace axlstm
