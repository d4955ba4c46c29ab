"""Our pydantic models have one base, so that a start builds none that it does not need."""

import ast

from .checkout import ROOT, package_files


def test_each_pydantic_model_of_ours_is_a_value() -> None:
    bases = {
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in package_files()
        for text in [path.read_text(encoding="utf-8")]
        if "BaseModel" in text  # to parse all files takes a second
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("BaseModel") for base in node.bases)
    }
    assert bases == {"domain/value.py: Value"}
