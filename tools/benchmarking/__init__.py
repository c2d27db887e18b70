"""The parts of tools/benchmark.py.

The parent process plans the cases (`cases`), times each in a process of its own (`processes`,
`runner`) and reports (`results`, `report`); it imports neither Keras nor a backend. In the child
processes runs `worker`, with `ours`, `official` and `peers` building what is timed.
"""
