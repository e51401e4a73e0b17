"""The charts of a report: for each judge, what it says against rank and against the margin to the positive."""

from __future__ import annotations

from typing import Any

from litotes.auditing.line_chart import Series, line_chart, write_number, write_percent, write_range
from litotes.auditing.survey import Survey

__all__ = ["charts_of"]


def charts_of(survey: Survey) -> list[dict[str, Any]]:
    """One entry a chart: judge, caption, svg, names of its lines, and its numbers as rows of text."""
    charts = []
    for verdict in survey.verdicts:
        for by, curves in (("rank", survey.by_rank), ("margin", survey.by_margin)):
            lines = [Series(miner, curve.points()) for (judge, miner), curve in curves.items() if judge == verdict.name]
            lines = [line for line in lines if line.points]
            if not lines:
                continue
            y_label = "share suspected" if verdict.flags_cells else "mean value"
            x_label = "rank" if by == "rank" else "margin (left of 0 the margin rule would drop it)"
            caption = (
                f"{y_label} against {'the rank that the miner gave' if by == 'rank' else 'the margin to the positive'}"
            )
            svg = line_chart(
                lines,
                title=f"{verdict.name}: {caption}",
                x_label=x_label,
                y_label=y_label,
                log_x=by == "rank",
                percent=verdict.flags_cells,
                limit=None if by == "rank" else 0.0,
            )
            write = write_percent if verdict.flags_cells else write_number
            numbers = [
                (
                    line.name,
                    write_range(point),
                    f"{point.cells:,}",
                    write(point.value),
                    f"{write(point.low)} to {write(point.high)}",
                )
                for line in lines
                for point in line.points
            ]
            charts.append(
                {
                    "judge": verdict.name,
                    "caption": caption,
                    "svg": svg,
                    "lines": [line.name for line in lines],
                    "x_label": x_label,
                    "y_label": y_label,
                    "numbers": numbers,
                }
            )
    return charts
