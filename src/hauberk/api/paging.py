"""Pages of lists: `page` counts from 1, and a page beyond the last is an empty list, which is how SDKs know to stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Query
from fastapi.responses import JSONResponse
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from hauberk.api.envelope import success

MAX_PER_PAGE = 5000


@dataclass(frozen=True)
class Page:
    """Which part of a list is asked for."""

    page: int
    """From 1."""

    per_page: int

    @property
    def offset(self) -> int:
        """How many items come before this page."""
        return (self.page - 1) * self.per_page


def _page(
    page: Annotated[int, Query(ge=1, le=2**31, description="Page, from 1")] = 1,
    per_page: Annotated[int, Query(ge=1, le=MAX_PER_PAGE, description="Items in a page")] = 20,
) -> Page:
    return Page(page, per_page)


PageQuery = Annotated[Page, Depends(_page)]


def info(page: Page, count: int, total: int) -> dict[str, int]:
    """Make `result_info`."""
    pages = -(-total // page.per_page)
    return {"page": page.page, "per_page": page.per_page, "count": count, "total_count": total, "total_pages": pages}


def paged_rows(session: Session, query: Select[Any], page: Page, render: Callable[[Any], Any]) -> JSONResponse:
    """Answer one page of an ordered query, each row rendered."""
    return paged_together(session, query, page, lambda _rows: render)


def paged_together(
    session: Session, query: Select[Any], page: Page, renderer: Callable[[Sequence[Any]], Callable[[Any], Any]]
) -> JSONResponse:
    """Answer one page of an ordered query; `renderer` sees all rows of the page first, so that it can read what they need at once."""
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    rows = session.scalars(query.limit(page.per_page).offset(page.offset)).all()
    render = renderer(rows)
    return success([render(row) for row in rows], result_info=info(page, len(rows), total))


def paged_list(items: Sequence[Any], page: Page) -> JSONResponse:
    """Answer one page of a list at hand."""
    part = items[page.offset : page.offset + page.per_page]
    return success(list(part), result_info=info(page, len(part), len(items)))
