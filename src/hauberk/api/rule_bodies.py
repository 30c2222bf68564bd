"""What clients send about rulesets and rules, checked: every member is enforced, ignored by name, or refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, model_validator

from hauberk.mitigation import RuleAction
from hauberk.rule import MAX_EXPRESSION_CHARACTERS, MAX_RULES, SKIP_PARAMETERS, RuleDefinition, check_expression
from hauberk.storage.rulesets import Position, parameters_of


def _without_null(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not hold a null character")
    return text


Text = Annotated[str, AfterValidator(_without_null)]


class _RuleMembers(BaseModel):
    """What may stand in a rule besides its definition: answers have these, so a rule read can be sent back."""

    model_config = ConfigDict(extra="forbid")

    version: Any = Field(None, description="Ignored: counted here")
    last_updated: Any = Field(None, description="Ignored: told here")
    categories: Any = Field(None, description="Ignored")
    logging: Any = Field(None, description="Ignored: each block and log is an event")


class _Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ruleset: Literal["current"] | None = None


class NewRule(_RuleMembers):
    """A rule."""

    id: Text | None = Field(None, max_length=64, description="In a list: the present rule this is the new form of")
    action: RuleAction
    action_parameters: _Parameters | None = Field(None, description='For skip: {"ruleset": "current"}; for others nothing')
    expression: Text = Field(min_length=1, max_length=MAX_EXPRESSION_CHARACTERS)
    description: Text | None = Field(None, max_length=1024)
    enabled: StrictBool = True
    ref: Text | None = Field(None, min_length=1, max_length=255, description="A name of the owner's own; the rule's id if left out")

    @model_validator(mode="after")
    def _parameters_fit(self) -> Self:
        check_parameters(self.action, self.action_parameters)
        return self

    def definition(self, pointer: str) -> RuleDefinition:
        """Compile the expression and give the definition."""
        check_expression(self.expression, f"{pointer}/expression")
        return RuleDefinition(self.action, self.expression, self.description or "", self.enabled, self.ref, self.id)


class RulePosition(BaseModel):
    """Where a rule is to stand: exactly one of the three."""

    model_config = ConfigDict(extra="forbid")

    before: Text | None = Field(None, max_length=64, description="Before this rule; empty: first")
    after: Text | None = Field(None, max_length=64, description="After this rule; empty: last")
    index: int | None = Field(None, ge=1, strict=True, description="From 1")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(value is not None for value in (self.before, self.after, self.index)) != 1:
            raise ValueError("must have exactly one of before, after and index")
        return self

    def position(self) -> Position:
        """Give it to the store."""
        return Position(self.before, self.after, self.index)


class AddedRule(NewRule):
    """A rule to add; the last unless a position is given."""

    position: RulePosition | None = None


class RuleChange(_RuleMembers):
    """What is to change of a rule; what is left out stays."""

    id: Text | None = Field(None, max_length=64, description="Ignored: the path names the rule")
    action: RuleAction | None = None
    action_parameters: _Parameters | None = None
    expression: Text | None = Field(None, min_length=1, max_length=MAX_EXPRESSION_CHARACTERS)
    description: Text | None = Field(None, max_length=1024)
    enabled: StrictBool | None = None
    ref: Text | None = Field(None, min_length=1, max_length=255)
    position: RulePosition | None = None

    @model_validator(mode="after")
    def _parameters_fit(self) -> Self:
        if self.action is not None:
            check_parameters(self.action, self.action_parameters)
        return self

    def changes(self) -> dict[str, Any]:
        """Compile the expression and give the columns to change."""
        given = {name: getattr(self, name) for name in ("expression", "description", "enabled", "ref")}
        if self.expression is not None:
            check_expression(self.expression, "/expression")
        return {name: value for name, value in given.items() if value is not None} | (parameters_of(self.action) if self.action else {})


class RulesetBody(BaseModel):
    """A ruleset's new content; members only answers have are ignored, rules left out stay."""

    model_config = ConfigDict(extra="forbid")

    name: Text | None = Field(None, min_length=1, max_length=255)
    description: Text | None = Field(None, max_length=1024)
    kind: Literal["zone"] | None = None
    phase: str | None = Field(None, max_length=64)
    rules: Annotated[list[NewRule], Field(max_length=MAX_RULES)] | None = None
    id: Any = Field(None, description="Ignored")
    version: Any = Field(None, description="Ignored: counted here")
    last_updated: Any = Field(None, description="Ignored: told here")


def check_parameters(action: RuleAction, parameters: _Parameters | None) -> None:
    """Refuse parameters that the action has not here: they would be taken for enforced."""
    named = None if parameters is None else parameters.ruleset
    if action is RuleAction.SKIP and named is None:
        raise ValueError(f"action skip needs action_parameters {SKIP_PARAMETERS}: it leaves out the remaining rules".replace("'", '"'))
    if action is not RuleAction.SKIP and named is not None:
        raise ValueError(f"action {action} has no action_parameters here")
