"""Floating-point operations of a case, multiplications and additions counted apart.

Only matrix products count: projections, scores and readouts; norms, gates, activations and the
depthwise convolution are left out. Per token, with hidden size D, inner size I = 3 D, S tokens,
NH = 4 heads of d = I / 4 channels:

- AxLSTM block: up 4 D I, down 2 D I, block-diagonal q, k and v 3 x 8 I, gates 12 I NH, and the
  recurrence NH min(2 d (S + 1), 4 d^2).
- Transformer block: q, k, v and output 8 D^2, MLP 16 D^2, attention 4 S D.
- patch embedding 128 D; in training also the head on every patch, 2 D^2 + 128 D.

The recurrence counts as the cheaper of the causal half of the quadratic form and of the update and
readout of the matrix memory. What a form computes beyond that, and what a backward pass computes
again, is its own cost: it lowers the share of the peak. A training step counts as three forward
passes: gradients by inputs and by weights are one each.
"""

from benchmarking.cases import MLP_RATIO, MLSTM_HEADS, OP_MODES, PATCH_SIZE, SIZES, Case, Size

PATCH_DIM = PATCH_SIZE[0] * PATCH_SIZE[1]
PROJECTION_BLOCK = 4
FORWARDS_OF_A_TRAINING_STEP = 3


def case_flops(case: Case) -> int:
    """Floating-point operations of one run of the case."""
    work, size = case.work, SIZES[case.work.size]
    if work.mode in OP_MODES:
        if case.source == "sdpa":
            per_head = causal_attention_flops(work.steps, size.head_dim)
        else:
            per_head = recurrence_flops(work.steps, size.head_dim)
        forward = MLSTM_HEADS * per_head
    else:
        block = axlstm_block_flops if work.model == "axlstm" else transformer_block_flops
        patches = work.steps - 1
        forward = size.num_layers * block(work.steps, size)
        forward += patches * 2 * PATCH_DIM * size.hidden_dim
        if work.mode == "train":
            forward += patches * 2 * size.hidden_dim * (size.hidden_dim + PATCH_DIM)
    training = work.mode in ("train", "op-train")
    return work.batch * forward * (FORWARDS_OF_A_TRAINING_STEP if training else 1)


def causal_attention_flops(steps: int, head_dim: int) -> int:
    """Scores and readout of one head, the causal half alone."""
    return steps * 2 * head_dim * (steps + 1)


def recurrence_flops(steps: int, head_dim: int) -> int:
    """mLSTM of one head, in the cheaper of its forms."""
    return min(causal_attention_flops(steps, head_dim), steps * 4 * head_dim**2)


def axlstm_block_flops(steps: int, size: Size) -> int:
    """One AxLSTM block on one sequence."""
    inner = size.inner_dim
    projections = 2 * size.hidden_dim * 3 * inner + 3 * 2 * PROJECTION_BLOCK * inner
    gates = 2 * 2 * 3 * inner * MLSTM_HEADS
    return steps * (projections + gates) + MLSTM_HEADS * recurrence_flops(steps, size.head_dim)


def transformer_block_flops(steps: int, size: Size) -> int:
    """One transformer block on one sequence."""
    projections = 8 * size.hidden_dim**2
    mlp = 4 * MLP_RATIO * size.hidden_dim**2
    return steps * (projections + mlp + 4 * steps * size.hidden_dim)


def up_projection_shape(case: Case) -> tuple[int, int, int]:
    """Rows, contracted size and columns of the widest product of a block."""
    size = SIZES[case.work.size]
    wide = MLP_RATIO * size.hidden_dim if case.work.model == "ssast" else 2 * size.inner_dim
    return case.work.batch * case.work.steps, size.hidden_dim, wide
