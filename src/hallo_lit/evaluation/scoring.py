"""Numbers for one folder of videos: one video at a time, a verdict for each, any number of processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from hallo_lit.evaluation.bootstrap import Bootstrap, DistanceBootstrap
from hallo_lit.evaluation.cases import Case, video_cases
from hallo_lit.evaluation.pairs import Pair, pairs, real_pairs, strangers
from hallo_lit.evaluation.processes import everywhere, share
from hallo_lit.evaluation.row import Item, Row
from hallo_lit.metrics.base import Report, VideoMetric
from hallo_lit.metrics.clip_metric import ClipMetric

Progress = Callable[[str, int, int], None]
Metrics = Mapping[str, VideoMetric]
USUAL = Bootstrap()
NONE: Mapping[str, str] = {}


def silent(phase: str, done: int, total: int) -> None:
    """No progress report."""


def score(
    fakes: Path,
    reals: Path | Sequence[Case],
    metrics: Metrics,
    name: str | None = None,
    bootstrap: Bootstrap = USUAL,
    progress: Progress = silent,
    faults: Mapping[str, str] = NONE,
) -> Row:
    """Scores a folder of generated videos against a folder of real ones of the same names, or against cases.

    Metrics are emptied first, so that one set of loaded networks serves many rows. Inside torch.distributed every
    process takes its share of the videos and returns the same row. `faults` says of clips why they have no video.

    Raises:
        UserError: one of the folders is none, or holds no video.
    """
    cases = video_cases(reals, fakes) if isinstance(reals, Path) else list(reals)
    found = pairs(fakes, cases, share(), faults)
    row = _score(name or fakes.name, found, len(cases), metrics, bootstrap, progress)
    return replace(row, notes=(*row.notes, *strangers(fakes, cases)), facts={"videos": str(fakes)})


def score_real(
    name: str, cases: Sequence[Case], metrics: Metrics, bootstrap: Bootstrap = USUAL, progress: Progress = silent
) -> Row:
    """The real videos by the same metrics, without those that would compare a video with itself."""
    meaningful = {key: metric for key, metric in metrics.items() if metric.judges_real}
    return _score(name, real_pairs(cases, share()), len(cases), meaningful, bootstrap, progress)


def _score(
    name: str, found: Iterable[Pair], total: int, metrics: Metrics, settings: Bootstrap, progress: Progress
) -> Row:
    for metric in metrics.values():
        metric.reset()
    draws = {key: DistanceBootstrap.for_metric(metric, total, settings) for key, metric in metrics.items()}
    remarks: dict[str, str] = {}
    for pair in found:
        remarks[pair.name] = pair.fault or pair.remark
        if pair.fake is not None:
            for key, metric in metrics.items():
                _update(metric, pair, draws[key])
        progress("score", pair.index + 1, total)
    gathered = dict(chain.from_iterable(one.items() for one in everywhere(remarks)))
    reports = {key: metric.report() for key, metric in metrics.items()}
    items = _items(gathered, reports)
    return Row(
        name,
        values={value: number for report in reports.values() for value, number in report.values.items()},
        intervals={
            value: interval
            for key, report in reports.items()
            for value, interval in _intervals(metrics[key], report, draws[key], settings).items()
        },
        counts={value: report.counted for report in reports.values() for value in report.values},
        counted=sum(item.counted for item in items),
        total=total,
        skipped={key: report.skipped for key, report in reports.items() if report.skipped is not None},
        notes=tuple(note for report in reports.values() for note in report.notes),
        items=items,
    )


def _update(metric: VideoMetric, pair: Pair, draws: DistanceBootstrap | None) -> None:
    if pair.fake is None:
        return
    if draws is not None:
        draws.before()
    metric.update(pair.fake, pair.real)
    if draws is not None:
        draws.after(pair.index)


def _items(remarks: Mapping[str, str], reports: Mapping[str, Report]) -> tuple[Item, ...]:
    """One verdict per clip, from those of all metrics."""
    said: dict[str, dict[str, str]] = {name: {"": remark} if remark else {} for name, remark in remarks.items()}
    counted = dict.fromkeys(remarks, False)
    for key, report in reports.items():
        for verdict in report.verdicts:
            counted[verdict.item] |= verdict.counted
            if verdict.reason:
                said[verdict.item][key] = verdict.reason
    return tuple(Item(name, counted[name], said[name]) for name in sorted(said))


def _intervals(
    metric: VideoMetric, report: Report, draws: DistanceBootstrap | None, settings: Bootstrap
) -> dict[str, tuple[float, float]]:
    if draws is not None:
        key = draws.metric.key
        interval = draws.interval(report.values.get(key, 0.0))
        return {} if interval is None or key not in report.values else {key: interval}
    if not isinstance(metric, ClipMetric):
        return {}
    found = {}
    verdicts = sorted(report.verdicts, key=lambda verdict: verdict.item)  # whichever process they come from
    for value in set(report.values) & set(metric.columns):
        interval = settings.of_mean([verdict.values[value] for verdict in verdicts if value in verdict.values])
        if interval is not None:
            found[value] = interval
    return found
