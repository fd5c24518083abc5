import { cookie } from "@web/core/browser/cookie";
import { getColor, getCustomColor } from "@web/core/colors/colors";

// Lines differ by dash and mark too, not by colour alone.
const LINES = {
    main: (scheme) => ({ color: getColor(2, scheme, "lg"), pointStyle: "circle", borderWidth: 3 }),
    other: (scheme) => ({ color: getColor(14, scheme, "lg"), pointStyle: "rect", borderDash: [8, 4] }),
    reference: (scheme) => ({
        color: getCustomColor(scheme, "#7E8290", "#A4A8B6"),
        pointStyle: false,
        borderDash: [2, 4],
    }),
};
// Bars bear their text, which tells a rise from a fall without the colour.
const BARS = {
    total: (scheme) => getColor(2, scheme, "lg"),
    up: (scheme) => getCustomColor(scheme, "#1E7B34", "#4CB866"),
    down: (scheme) => getCustomColor(scheme, "#B3261E", "#E5736C"),
};

function textColor(scheme) {
    return getCustomColor(scheme, "#374151", "#E4E4E4");
}

function axis(scheme, { title, format, ...more }) {
    const color = textColor(scheme);
    const grid = { color: getCustomColor(scheme, "#e5e7eb", "#3C3E4B") };
    return {
        grid,
        border: grid,
        ticks: { color, ...(format ? { callback: format } : {}) },
        title: { display: Boolean(title), text: String(title || ""), color },
        ...more,
    };
}

function options(scheme, { scales, legend, tooltip }) {
    return {
        maintainAspectRatio: false,
        animation: false,
        interaction: { mode: "nearest", intersect: false },
        scales,
        plugins: {
            legend: {
                display: legend,
                position: "bottom",
                labels: { color: textColor(scheme), boxWidth: 40, boxHeight: 0 },
            },
            tooltip: { displayColors: false, callbacks: { title: () => "", label: tooltip } },
        },
    };
}

/** A line of a chart: `points` are {x, y} and whatever a tooltip wants; `look` is main, other or reference. */
export function lineDataset(label, points, look) {
    const { color, ...own } = LINES[look](cookie.get("color_scheme"));
    return {
        label: String(label),
        data: points,
        borderColor: color,
        backgroundColor: color,
        borderWidth: 2,
        pointRadius: own.pointStyle ? 4 : 0,
        clip: 8,
        tension: 0,
        ...own,
    };
}

/** Lines over two axes that begin at 0 and end at `maximum`; `format` writes the numbers of both. */
export function lineConfig(datasets, { xTitle, yTitle, maximum = 1, format, tooltip }) {
    const scheme = cookie.get("color_scheme");
    const both = { type: "linear", min: 0, max: maximum, format };
    const scales = {
        x: axis(scheme, { ...both, title: xTitle }),
        y: axis(scheme, { ...both, title: yTitle }),
    };
    return { type: "line", data: { datasets }, options: options(scheme, { scales, legend: true, tooltip }) };
}

/** Lines over the days of a period, from 0 on; `formatDay` writes the days, `format` the figures. */
export function courseConfig(datasets, { days, formatDay, format, tooltip }) {
    const scheme = cookie.get("color_scheme");
    const scales = {
        x: axis(scheme, { type: "linear", min: 0, max: Math.max(days, 1), format: formatDay }),
        y: axis(scheme, { type: "linear", format }),
    };
    scales.x.ticks.precision = 0;
    return { type: "line", data: { datasets }, options: options(scheme, { scales, legend: true, tooltip }) };
}

/** Bars that float from one number to another, each with its text above; `look` is total, up or down. */
export function barConfig(bars, { yTitle, format }) {
    const scheme = cookie.get("color_scheme");
    const scales = {
        x: axis(scheme, { grid: { display: false } }),
        y: axis(scheme, { title: yTitle, format, grace: "10%" }),
    };
    const texts = {
        id: "texts",
        afterDatasetsDraw(chart) {
            const { ctx } = chart;
            ctx.save();
            ctx.fillStyle = textColor(scheme);
            ctx.textAlign = "center";
            ctx.textBaseline = "bottom";
            chart.getDatasetMeta(0).data.forEach(({ x, y, base }, place) => {
                ctx.fillText(bars[place].text, x, Math.min(y, base) - 3);
            });
            ctx.restore();
        },
    };
    return {
        type: "bar",
        data: {
            labels: bars.map((bar) => bar.label),
            datasets: [
                {
                    data: bars.map((bar) => [bar.from, bar.to]),
                    backgroundColor: bars.map((bar) => BARS[bar.look](scheme)),
                    // A step of nothing is a line, and stays there to be seen.
                    minBarLength: 2,
                },
            ],
        },
        options: options(scheme, {
            scales,
            legend: false,
            tooltip: ({ dataIndex }) => `${bars[dataIndex].label}: ${bars[dataIndex].text}`,
        }),
        plugins: [texts],
    };
}
