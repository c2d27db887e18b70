"""Our models behind the interfaces of other benchmarks. Each module needs that benchmark's package.

`mteb_encoder` for MTEB's audio tasks, `xares_encoder` for X-ARES.
"""
