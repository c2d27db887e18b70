"""What the package imports, and what pyproject.toml and tools/constraints.txt promise."""

import ast
import importlib
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import keras
import pytest

import keras_axlstm

pytestmark = pytest.mark.any_backend

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "keras_axlstm"
BACKEND_LIBRARIES = {
    "flax",
    "jax",
    "jax_triton",
    "jaxlib",
    "tensorflow",
    "tensorflow_text",
    "torch",
    "triton",
}
MODULES = sorted(PACKAGE.rglob("*.py"))
# What exists for one backend alone, or speaks to models of others, beside the kernels.
BACKEND_MODULES = {
    "data/tensorflow_clips.py",
    "data/tensorflow_crops.py",
    "data/tensorflow_decoding.py",
    "evaluation/adapters/xares_encoder.py",
    "evaluation/models/ast_frames.py",
    "evaluation/models/speech_frames.py",
    "evaluation/models/tensor_libraries.py",
    "evaluation/models/torch_state.py",
    "evaluation/probe/compiled.py",
    "export/tensorflow_export.py",
    "export/torch_export.py",
    "hear/tensorflow_hear_model.py",
    "hear/torch_hear_model.py",
}


def imported_names(path: Path) -> set[str]:
    """Absolute names of every module that `path` imports, at its top or inside a function."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(str(node.module))
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            # importlib.import_module("torch"), __import__("torch")
            called = node.func.attr if isinstance(node.func, ast.Attribute) else None
            called = node.func.id if isinstance(node.func, ast.Name) else called
            if called in {"import_module", "__import__"}:
                names.add(str(node.args[0].value))
    return names


def imported_roots(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported_names(path)}


def distribution_name(requirement: str) -> str:
    """`keras-hub` of `keras_hub[extra]>=1; marker`."""
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def constraints() -> list[str]:
    """Of all files: those of a special environment first, so that the common ones win."""
    files = (
        "requirements-tensorflow-io.txt",
        "constraints-beam.txt",
        "requirements-events.txt",
        "requirements-peers.txt",
        "constraints.txt",
    )
    texts = [(ROOT / "tools" / file).read_text(encoding="utf-8") for file in files]
    lines = "\n".join(texts).splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_only_the_kernels_and_glue_import_a_backend_library():
    offenders = {
        str(path.relative_to(ROOT)): sorted(found)
        for path in MODULES
        if (found := imported_roots(path) & BACKEND_LIBRARIES)
        and PACKAGE / "recurrence" / "kernels" not in path.parents
        and PACKAGE / "distribution" not in path.parents
        and path.relative_to(PACKAGE).as_posix() not in BACKEND_MODULES
    }
    assert offenders == {}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("import torch.nn as nn", "torch"),
        ("from jax import numpy", "jax"),
        ("def f():\n    import tensorflow", "tensorflow"),
        ("import importlib\nimportlib.import_module('torch')", "torch"),
    ],
)
def test_the_import_scan_sees_every_way_to_import(tmp_path, line, expected):
    module = tmp_path / "module.py"
    module.write_text(line)
    assert expected in imported_roots(module)


def test_every_import_is_declared(project):
    extras = project["optional-dependencies"]
    declared = {
        distribution_name(requirement)
        for name, group in [("", project["dependencies"]), *extras.items()]
        if name not in {"all", "test"}
        for requirement in group
    }
    imported = set().union(*map(imported_roots, MODULES)) - sys.stdlib_module_names
    providers = importlib.metadata.packages_distributions()
    undeclared = {
        name
        for name in imported - {"keras_axlstm"}
        if declared.isdisjoint(map(distribution_name, providers.get(name, [name])))
    }
    assert undeclared == set()


def test_the_version_is_stated_once_more_in_the_package(project):
    assert keras_axlstm.__version__ == project["version"]


def test_all_is_every_extra_but_the_tests(project):
    extras = project["optional-dependencies"]
    # Triton does not run in one process with TensorFlow, beam and tensorflow-io need environments
    # of their own, mteb, demo and notebook bring much that nothing else needs, events an older
    # setuptools.
    apart = {"all", "test", "triton", "jax-triton", "beam", "tensorflow-io", "mteb", "events"}
    apart |= {"demo", "demo-test", "notebook"}
    inner = ",".join(name for name in extras if name not in apart)
    assert extras["all"] == [f"keras-axlstm[{inner}]"]


def test_the_test_extra_brings_no_backend(project):
    names = {distribution_name(line) for line in project["optional-dependencies"]["test"]}
    assert names.isdisjoint(BACKEND_LIBRARIES)


def test_the_command_line_entry_point_resolves(project):
    module, _, function = project["scripts"]["keras-axlstm"].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_constraints_are_exact_versions_from_an_index(constraints):
    wrong = [line for line in constraints if not re.fullmatch(r"[\w.-]+==[\w.]+", line)]
    assert wrong == []


def test_constraints_cover_and_meet_the_requirements(project, constraints):
    pinned = dict(line.lower().replace("_", "-").split("==") for line in constraints)
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    for requirement in {line for group in groups for line in group}:
        name = distribution_name(requirement)
        if name == project["name"]:
            continue
        lowest = requirement.partition(">=")[2]
        assert lowest, f"{requirement!r} has no lower bound"
        assert version_numbers(pinned[name]) >= version_numbers(lowest), requirement


def version_numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def test_importing_the_package_imports_no_other_backend():
    """Nothing beyond what keras_hub imports itself: TensorFlow where it is installed."""
    assert libraries_loaded_by("import keras_axlstm") <= libraries_loaded_by("import keras_hub")


def libraries_loaded_by(statement: str) -> set[str]:
    """Which heavy libraries a fresh interpreter has loaded after `statement`."""
    heavy = sorted(BACKEND_LIBRARIES | {"pyarrow"})
    script = f"{statement}\nimport sys\nprint(*[name for name in {heavy} if name in sys.modules])"
    environment = os.environ | {"KERAS_BACKEND": keras.backend.backend()}
    result = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())
