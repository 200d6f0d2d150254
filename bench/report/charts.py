#!/usr/bin/env python3
"""Draws the charts of docs/numbers.md with matplotlib.

    charts.py CHARTS.json FOLDER

CHARTS.json is an object of charts by name, as bench/report/charts.h describes them; each becomes
FOLDER/NAME.svg. The same charts give the same files, byte for byte, with the same matplotlib. The
background is transparent and the colours can be read on a light and on a dark one, as GitHub shows
either.
"""
import json
import pathlib
import sys

import matplotlib
from matplotlib import pyplot

# Mid-tones, each with a contrast of at least 3 to white and to GitHub's dark background; text 4.
TEXT = "#737a83"
COLOURS = ["#2f81c9", "#c9722b", "#3d9a5f", "#8f6fc0", "#8a8f98"]
INCHES_PER_BAR = 0.165

matplotlib.use("svg")
matplotlib.rcParams.update({
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "fermata",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": TEXT,
    "axes.edgecolor": TEXT,
    "axes.labelcolor": TEXT,
    "xtick.color": TEXT,
    "ytick.color": TEXT,
})


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def draw(chart, path):
    series, groups = chart["series"], chart["groups"]
    # A group is its bars and a gap of one bar.
    rows = len(groups) * (len(series) + 1)
    figure, axes = pyplot.subplots(figsize=(8, 0.9 + rows * INCHES_PER_BAR), layout="constrained")
    present = [v for group in groups for v in group["values"] if v is not None and v > 0]
    if chart["logarithmic"] and present:
        axes.set_xscale("log")
        # So that the bar of the least value is seen, and the number beside that of the greatest.
        axes.set_xlim(min(present) / 3, max(present) * 2)
    else:
        axes.set_xlim(0, 1.08 * max([*present, chart.get("line", 0), 1e-9]))
    for i, name in enumerate(series):
        places = [g * (len(series) + 1) + i for g in range(len(groups))]
        values = [group["values"][i] for group in groups]
        bars = axes.barh(places, [v or 0 for v in values], height=0.92, label=name,
                         color=COLOURS[i % len(COLOURS)])
        axes.bar_label(bars, ["–" if v is None else number(v) for v in values], padding=3,
                       fontsize=7.5)
    axes.set_yticks([g * (len(series) + 1) + (len(series) - 1) / 2 for g in range(len(groups))],
                    [group["label"] for group in groups])
    axes.invert_yaxis()
    axes.margins(y=0.02)
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    if "line" in chart:
        axes.axvline(chart["line"], color=TEXT, linestyle="--", linewidth=0.8, zorder=0)
    figure.suptitle(chart["title"], x=0.01, ha="left", fontsize=11, fontweight="bold")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, ncols=len(series),
                frameon=False)
    figure.savefig(path, format="svg", transparent=True,
                   metadata={"Date": None, "Creator": None, "Title": chart["title"]})
    pyplot.close(figure)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    charts = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, chart in sorted(charts.items()):
        draw(chart, folder / f"{name}.svg")


if __name__ == "__main__":
    main()
