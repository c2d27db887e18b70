"""The Triton kernels, and what they may use once compiled for an H100 (sm_90)."""

KERNELS = (
    "forward",
    "backward_rows",
    "backward_query",
    "backward_key_value",
    "states",
    "states_backward",
)
MOST_REGISTERS = 255
MOST_SHARED = 227 * 1024
# Bytes a thread that do not fit into registers, (kernel, head dim, dtype); all others must fit.
# In bfloat16 these are set up before a loop: none is written inside one but once a tile at 288.
SPILLED = {
    ("forward", 144, "fp32"): 128,
    ("backward_query", 288, "bf16"): 64,
    ("backward_query", 144, "fp32"): 256,
    ("backward_query", 144, "fp16"): 64,
    ("backward_key_value", 288, "bf16"): 320,
    ("backward_key_value", 576, "bf16"): 160,
    ("backward_key_value", 144, "fp32"): 192,
    ("backward_key_value", 144, "fp16"): 448,
}
