"""The launches of the forward pass."""

from keras_axlstm.recurrence.kernels.triton import gates, tiles
from keras_axlstm.recurrence.kernels.triton.forward import forward_kernel
from keras_axlstm.recurrence.kernels.triton.launch import Array, Launch, Spec
from keras_axlstm.recurrence.kernels.triton.problem import Problem, State
from keras_axlstm.recurrence.kernels.triton.states import states_kernel


def forward(problem: Problem, return_state: bool) -> tuple[Array, Array, State | None]:
    """h (B, S, NH, DH), the signed l (B, NH, S) in reading order, and the last state if asked."""
    weights = gates.prepare(problem.backend, problem.log_i, problem.log_f, problem.initial_m)
    memories = states(problem, weights) if problem.has_state or return_state else None
    tile = problem.tile("forward")
    launch = Launch(
        forward_kernel,
        problem.grid(tile.rows, tile),
        (
            *(problem.query, problem.key, problem.value),
            *weights[:6],
            *((memories if problem.has_state else None) or (weights.crest, weights.crest)),
        ),
        problem.sizes,
        (Spec(problem.query.shape, "float32"), Spec(problem.per_step, "float32")),
        {
            "scale": problem.scale,
            **problem.strides("query", "key", "value"),
            "MEMORY": problem.has_state,
            **problem.block_options(tile),
        },
    )
    h, signed_l = problem.backend.run(launch)
    if memories is None or not return_state:
        return h, signed_l, None
    C, n = (x[:, :, -1] for x in memories)
    return h, signed_l, (C, n, weights.last_m)


def states(problem: Problem, weights: gates.Weights) -> tuple[Array, Array]:
    """Memories before every chunk and after the last: C (B, NH, N + 1, DH, DH), n without DH."""
    tile = tiles.state_tile(problem.query.shape[-1], problem.dtype)
    launch = Launch(
        states_kernel,
        problem.state_grid(tile),
        (
            *(problem.key, problem.value),
            *(weights.source_high, weights.source_low, weights.crest),
            *(problem.state or (weights.crest, weights.crest))[:2],
        ),
        problem.sizes,
        memory_specs(problem),
        {
            "scale": problem.scale,
            **problem.strides("key", "value"),
            "GIVEN": problem.state is not None,
            **problem.state_options(tile),
        },
    )
    C, n = problem.backend.run(launch)
    return C, n


def memory_specs(problem: Problem) -> tuple[Spec, Spec]:
    """C and n of all memories, or their gradients."""
    shape = problem.memories
    return Spec((*shape, shape[-1]), "float32"), Spec(shape, "float32")
