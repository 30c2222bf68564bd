"""Writing a rule: its expression as text with its mistakes marked, or as rows, and from one to the other."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from hauberk.dashboard.page import OWN, Page, PageOf
from hauberk.dashboard.rest import Answer, RestError
from hauberk.dashboard.rule_versions import Present
from hauberk.dashboard.rules import back_to, entrypoint, present_rules, seen_version

routes = APIRouter()

MAX_GROUPS = 100
MAX_ROWS = 100

_ROW = re.compile(r"row\.(\d{1,3})\.(\d{1,3})\.(field|operator|values)")
_FIRST_ROW: dict[str, Any] = {"field": "http.host", "operator": "eq", "values": [""]}
# What an operator becomes when its row gets a field of the other type.
_FOR_TEXT = {"true": "eq", "false": "ne"}
_FOR_FLAG = {"eq": "true", "in": "true", "ne": "false", "not in": "false"}


@dataclass(frozen=True)
class Draft:
    """A rule as it stands in the form."""

    mode: str = "rows"
    """How the expression is written: `text` or `rows`."""

    expression: str = ""
    match: str = "all"
    groups: list[list[dict[str, Any]]] = field(default_factory=lambda: [[dict(_FIRST_ROW)]])
    action: str = "block"
    description: str = ""
    enabled: bool = True
    place: str = ""
    """The number it is to have among the rules; empty: as it is, or the last."""

    def written(self) -> dict[str, Any]:
        """Give the expression as REST takes it."""
        return {"expression": self.expression} if self.mode == "text" else {"rows": {"match": self.match, "groups": self.groups}}


@dataclass(frozen=True)
class Checked:
    """What REST says of the expression."""

    text: str = ""
    rows: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    """`column`, `found`, `expected`, `message` of a text that does not compile."""

    refused: RestError | None = None
    """Why rows are none of the language."""

    @property
    def is_good(self) -> bool:
        """Whether it can be stored."""
        return self.error is None and self.refused is None

    @property
    def marked(self) -> tuple[str, str, str]:
        """The text before the mistake, what stands there, and what follows."""
        at = self.error["column"] - 1 if self.error is not None else 0
        word = re.match(r"\S{1,60}", self.text[at:])
        end = at + (len(word[0]) if word else 1)
        return self.text[:at], self.text[at:end], self.text[end:]


@routes.get("/zones/{zone_name}/rules/new")
async def new_rule(page: PageOf) -> Response:
    """Begin a rule."""
    return await _editor(page, None, await present_rules(page), Draft())


@routes.get("/zones/{zone_name}/rules/{rule_id}")
async def edit_rule(page: PageOf, rule_id: str) -> Response:
    """Show a rule, to be changed."""
    present = await present_rules(page)
    rule = _find(present, rule_id)
    draft = Draft("text", rule["expression"], action=rule["action"], description=rule["description"], enabled=rule["enabled"])
    return await _editor(page, rule, present, draft)


@routes.post("/zones/{zone_name}/rules/new")
async def write_new_rule(page: PageOf) -> Response:
    """Go on with a new rule, or add it."""
    return await _written(page, None)


@routes.post("/zones/{zone_name}/rules/{rule_id}")
async def write_rule(page: PageOf, rule_id: str) -> Response:
    """Go on with a rule, or store it."""
    return await _written(page, rule_id)


async def _written(page: Page, rule_id: str | None) -> Response:
    do, _, which = str(page.form.get("do", "check")).partition(":")
    present = await present_rules(page)
    rule = _find(present, rule_id) if rule_id is not None else None
    draft = _changed_rows(await _draft(page), do, which)
    checked = await _check(page, draft)
    if do == "save" and checked.is_good:
        try:
            return await _save(page, present, rule, draft, checked.text)
        except RestError as error:
            return await _editor(page, rule, await present_rules(page), draft, checked, error)
    if do == "rows" and checked.rows is not None:
        draft = replace(draft, mode="rows", match=checked.rows["match"], groups=checked.rows["groups"])
        checked = await _check(page, draft)  # the text as the rows say it, which is what would be stored
    elif do == "text" and draft.mode == "rows" and checked.refused is None:
        draft = replace(draft, mode="text", expression=checked.text)
    return await _editor(page, rule, present, draft, checked)


async def _save(page: Page, present: Present, rule: dict[str, Any] | None, draft: Draft, expression: str) -> Response:
    body: dict[str, Any] = {
        "action": draft.action,
        "expression": expression,
        "description": draft.description,
        "enabled": draft.enabled,
        "action_parameters": {"ruleset": "current"} if draft.action == "skip" else None,
    }
    if draft.place.isascii() and draft.place.isdigit():
        body["position"] = {"index": int(draft.place[:9])}
    query = seen_version(page)

    async def call() -> Answer:
        if not present.id:
            return await page.rest.put(
                entrypoint(page), {"rules": [{name: body[name] for name in body if name != "position"}]}, query=query
            )
        path = page.v4(f"rulesets/{present.id}/rules")
        if rule is None:
            return await page.rest.post(path, body, query=query)
        return await page.rest.patch(f"{path}/{rule['id']}", body, query=query)

    change = await page.change(call)
    done = "The rule is added." if rule is None else "The rule is changed."
    return page.moved(page.link("rules"), done=done, change=change, undo=back_to(page, present, change.answer))


async def _editor(
    page: Page,
    rule: dict[str, Any] | None,
    present: Present,
    draft: Draft,
    checked: Checked | None = None,
    error: RestError | None = None,
) -> Response:
    language = (await page.rest.get(f"{OWN}/expressions/language")).result
    if checked is None:
        # Who may only look asks for no check: what is stored compiles.
        checked = await _check(page, draft) if page.visitor.may_edit and rule is not None else Checked(draft.expression)
    conflict = error is not None and error.status == 409
    return page.render(
        "rules/edit.html",
        error.status if error is not None else 200,
        rule=rule,
        number=present.rules.index(rule) + 1 if rule is not None else None,
        count=len(present.rules),
        # After a conflict the visitor has seen what is there now, and may save over it.
        version=present.version if conflict or page.request.method == "GET" else page.form.get("version", ""),
        draft=draft,
        checked=checked,
        fields=language["fields"],
        error=None if conflict else error,
        conflict=conflict,
    )


async def _check(page: Page, draft: Draft) -> Checked:
    try:
        said = (await page.rest.post(f"{OWN}/expressions/check", draft.written())).result
    except RestError as error:
        return Checked(draft.expression, refused=error)
    return Checked(said["expression"], said["rows"], said["error"])


async def _draft(page: Page) -> Draft:
    form = page.form
    return Draft(
        mode="text" if form.get("mode") == "text" else "rows",
        expression=str(form.get("expression", "")).replace("\r\n", "\n").strip(),
        match="any" if form.get("match") == "any" else "all",
        groups=await _groups(page),
        action=str(form.get("action", "block")),
        description=str(form.get("description", "")).strip(),
        enabled="enabled" in form,
        place=str(form.get("place", "")).strip(),
    )


async def _groups(page: Page) -> list[list[dict[str, Any]]]:
    found: dict[int, dict[int, dict[str, str]]] = {}
    for name, value in page.form.items():
        matched = _ROW.fullmatch(name)
        if matched is not None and isinstance(value, str):
            found.setdefault(int(matched[1]), {}).setdefault(int(matched[2]), {})[matched[3]] = value
    if not found:
        return [[dict(_FIRST_ROW)]]
    language = (await page.rest.get(f"{OWN}/expressions/language")).result
    texts = {one["name"] for one in language["fields"] if one["type"] == "text"}
    return [[_row(row, texts) for _, row in sorted(rows.items())] for _, rows in sorted(found.items())]


def _row(row: dict[str, str], texts: set[str]) -> dict[str, Any]:
    name, operator = row.get("field", ""), row.get("operator", "")
    if name not in texts:
        return {"field": name, "operator": _FOR_FLAG.get(operator, operator), "values": []}
    operator = _FOR_TEXT.get(operator, operator)
    lines = row.get("values", "").replace("\r\n", "\n").split("\n")
    values = [line.strip() for line in lines if line.strip()] if "in" in operator else ["\n".join(lines).strip()]
    return {"field": name, "operator": operator, "values": values}


def _changed_rows(draft: Draft, do: str, which: str) -> Draft:
    """Add a row or a group, or take a row away."""
    if draft.mode != "rows" or do not in {"add-row", "add-group", "drop"}:
        return draft
    groups = [list(group) for group in draft.groups]
    numbers = [int(part) for part in which.split(":") if part.isascii() and part.isdigit() and len(part) < 4]
    if do == "add-group" and len(groups) < MAX_GROUPS:
        groups.append([dict(_FIRST_ROW)])
    elif do == "add-row" and len(numbers) == 1 and numbers[0] < len(groups) and len(groups[numbers[0]]) < MAX_ROWS:
        groups[numbers[0]].append(dict(_FIRST_ROW))
    elif do == "drop" and len(numbers) == 2 and numbers[0] < len(groups) and numbers[1] < len(groups[numbers[0]]):
        del groups[numbers[0]][numbers[1]]
    return replace(draft, groups=[group for group in groups if group] or [[dict(_FIRST_ROW)]])


def _find(present: Present, rule_id: str) -> dict[str, Any]:
    for rule in present.rules:
        if rule["id"] == rule_id:
            return rule
    raise RestError(404, [{"message": "The zone has no such rule: it may have been deleted."}])
