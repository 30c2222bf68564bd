"""The language of rules: what there is in it, whether a text compiles, and an expression as rows and back. Our own."""

from __future__ import annotations

from typing import Annotated, Any, Self

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator

from hauberk import _native
from hauberk.api.auth import Owner
from hauberk.api.envelope import success
from hauberk.api.rule_bodies import Text
from hauberk.expression import OPERATORS, Condition, Match, Rows, rows_of, tree_of
from hauberk.rule import MAX_EXPRESSION_CHARACTERS

own = APIRouter(prefix="/expressions", tags=["rules"], dependencies=[Owner])

MAX_GROUPS = 100
MAX_CONDITIONS = 100
MAX_VALUES = 1000


class ConditionBody(BaseModel):
    """One row."""

    model_config = ConfigDict(extra="forbid")

    field: Annotated[str, Field(max_length=100)]
    operator: Annotated[str, Field(max_length=16)]
    values: list[Annotated[Text, Field(max_length=4096)]] = Field([], max_length=MAX_VALUES)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        types = {name: is_text for name, is_text, _ in _native.expression_fields()}
        if self.field not in types:
            raise ValueError("the field is none of the language")
        if self.operator not in OPERATORS[types[self.field]]:
            raise ValueError(f"the operator of {self.field} must be one of: {', '.join(OPERATORS[types[self.field]])}")
        most = MAX_VALUES if "in" in self.operator else 1 if types[self.field] else 0
        if not min(most, 1) <= len(self.values) <= most:
            wanted = {0: "no value", 1: "one value"}.get(most, f"1 to {most} values")
            raise ValueError(f"{self.field} {self.operator} takes {wanted}")
        return self


class RowsBody(BaseModel):
    """An expression as rows: `all` groups hold, each if any of its conditions does, or the other way round."""

    model_config = ConfigDict(extra="forbid")

    match: Match
    groups: list[Annotated[list[ConditionBody], Field(min_length=1, max_length=MAX_CONDITIONS)]] = Field(
        min_length=1, max_length=MAX_GROUPS
    )


class Written(BaseModel):
    """An expression, written as text or as rows: one of the two."""

    model_config = ConfigDict(extra="forbid")

    expression: Text | None = Field(None, max_length=MAX_EXPRESSION_CHARACTERS)
    rows: RowsBody | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.expression is None) == (self.rows is None):
            raise ValueError("must have either an expression or rows")
        return self

    def text(self) -> str:
        """Give the expression as text."""
        if self.rows is None:
            return self.expression or ""
        groups = (tuple(Condition(row.field, row.operator, tuple(row.values)) for row in group) for group in self.rows.groups)
        return str(Rows(self.rows.match, tuple(groups)))


@own.get("/language")
def get_language() -> JSONResponse:
    """List the fields an expression may name, each with its type, its operators and what it is."""
    return success(
        {
            "fields": [
                {"name": name, "type": "text" if is_text else "boolean", "operators": list(OPERATORS[is_text]), "meaning": meaning}
                for name, is_text, meaning in _native.expression_fields()
            ],
            "joined_by": ["not", "and", "or"],
        }
    )


@own.post("/check")
def check_expression(body: Written) -> JSONResponse:
    """
    Tell whether an expression compiles, and give it as text and as rows; nothing is stored.

    One that does not compile is no error of this call: `error` tells the column (in characters, from 1), what stands there and what was
    expected. `rows` is null where two levels do not say what the text says.
    """
    text = body.text()
    result: dict[str, Any] = {"expression": text, "error": None, "rows": None}
    try:
        rows = rows_of(tree_of(text))
    except _native.ExpressionError as error:
        result["error"] = {"column": error.column, "found": error.found, "expected": error.expected, "message": str(error)}
        return success(result)
    if rows is not None:
        groups = [[{"field": row.field, "operator": row.operator, "values": list(row.values)} for row in group] for group in rows.groups]
        result["rows"] = {"match": rows.match, "groups": groups}
    return success(result)
