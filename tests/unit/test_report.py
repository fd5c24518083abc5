"""The report of a back-test: its sentences, its page, and that both know all that docs/backtest.md promises."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from backtest_sample import sample, too_short

from sync_worker.errors import InputError
from sync_worker.report import page, words
from sync_worker.report.subject import Subject

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "backtest.md").read_text(encoding="utf-8")
SUBJECT = Subject("orders.csv", "2026-11-22", "the last day in orders.csv", formats={1: "Retail"})


def section(title: str) -> str:
    return re.split(r"\n#", DOCUMENT.split(title, 1)[1])[0]


def documented(table: str) -> set[str]:
    return {
        name for cell in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE) for name in cell.split("`")[1::2]
    }


def rendered(result: dict, subject: Subject = SUBJECT) -> ET.Element:
    """The page, parsed as XML: stricter than any browser."""
    return ET.fromstring(page.render(result, subject).replace("<!DOCTYPE html>", "", 1))


def text(element: ET.Element) -> str:
    return " ".join(" ".join(element.itertext()).replace(words.NBSP, " ").split())


# ---------------------------------------------------------------------- words
def test_the_story():
    assert words.story(sample()["grades"][0]) == (
        "On 2026-08-24, of the 50 customers called most at risk 23 did not come back within 90 days, carrying 81,235; "
        "the best simple rule (silent for 60 days or more) finds 15, a list drawn by lot 7.4."
    )


def test_a_story_leaves_out_what_is_not_known():
    grade = sample()["grades"][0] | {"found_value": None, "rule": None, "chance_found": None}
    assert words.story(grade) == (
        "On 2026-08-24, of the 50 customers called most at risk 23 did not come back within 90 days."
    )
    assert words.story(grade | {"found": None}) == ""
    assert words.lists(grade | {"found": None}) == []


def test_a_story_names_the_horizon_of_those_it_is_about():
    grade = sample()["grades"][0]
    assert "did not come back within 14 days, carrying" in words.story(grade | {"horizon_days": 14})
    mixed = words.story(grade | {"horizon_days": None})
    assert "did not come back within the churn horizon of their business format, carrying" in mixed


def test_a_story_of_a_sample_says_so():
    told = words.story(sample()["grades"][0], "EUR", {"customers": 20_000, "of": 41_440})
    assert told.startswith(
        "Of a sample of 20,000 of the 41,440 customers: on 2026-08-24, of the 50 customers called"
    )


def test_the_heading_and_the_facts_name_horizons():
    result = sample()
    assert "each time compared with the 90 days after it." in words.heading(result, SUBJECT)
    assert words.horizons(result, SUBJECT) == "90 days"
    result["grades"][0]["horizon_days"] = None
    result["grades"][1]["horizon_days"] = 14
    mixed = words.heading(result, SUBJECT)
    assert "each time compared with the churn horizon of each customer's business format after it." in mixed
    assert words.horizons(result, SUBJECT) == "90 days; Retail 14 days"


def test_no_story_without_a_grade():
    assert words.story(sample()["grades"][0] | {"grade": None, "missing": "outcomes"}) == ""


@pytest.mark.parametrize(
    ("code", "params", "says"),
    [
        ("recency", {"days": 60}, "silent for 60 days or more"),
        ("lateness", {"percent": 140.4}, "silent for 140 % of the usual gap or more"),
        ("rfm_score", {"score": 5}, "an RFM score of 5 or less"),
        ("last_period", {"order_days": 0, "window_days": 90}, "no order-day in the last 90 days"),
        ("last_period", {"order_days": 1, "window_days": 90}, "1 order-day or fewer in the last 90 days"),
        ("low_spend", {"amount": 12.5, "window_days": 60}, "12.50 EUR or less spent in the last 60 days"),
        ("low_spend", {"amount": 12.5}, "low spend"),
        ("run_rate", {"order_days": 3.25}, "3.3 order-days or fewer a year"),
        ("recency", {"days": None}, "recency"),
        ("of_tomorrow", {}, "of tomorrow"),
    ],
)
def test_rules(code: str, params: dict, says: str):
    assert words.rule({"code": code, "params": params}, "EUR").replace(words.NBSP, " ") == says


@pytest.mark.parametrize(
    ("changed", "verdict", "advice"),
    [
        (
            {"grade": "A"},
            "A, clearly better than the best simple rule, probabilities right. ",
            "taken at their word",
        ),
        ({"grade": "B"}, "B, clearly better than the best simple rule, probabilities rough. ", "as rough"),
        (
            {"grade": "C"},
            "C, better than chance. It ranks customers better than the simple rule",
            "order of the list",
        ),
        (
            {"grade": "C", "gain_low": -0.1},
            "C, better than chance. ",
            "no clear difference: the rule may serve as well",
        ),
        (
            {"grade": "C", "gain_low": -0.2, "gain_high": -0.1},
            "C, better than chance. ",
            "work by the rule here",
        ),
        (
            {"grade": "D"},
            "D, probabilities worse than the churn rate alone. ",
            "ranks customers better than chance, but",
        ),
        ({"grade": "D", "auc_low": 0.49}, "D, no skill shown. ", "no better than chance"),
        ({"grade": None, "missing": "outcomes"}, "No grade, too little data to tell. ", "fewer than 10"),
    ],
)
def test_a_grade_says_what_it_is_and_what_follows(changed: dict, verdict: str, advice: str):
    grade = sample()["grades"][0] | changed
    told = words.verdict(grade)
    assert told.startswith(verdict) and advice in told and told.endswith(".")
    assert told.endswith(words.advice(grade)) and words.meaning(grade) in told
    # of no grade is it true, and of none is it said
    assert "any simple rule" not in told and "finds more" not in told


@pytest.mark.parametrize(
    ("log_ratio", "says"),
    [(None, "–"), (0.001, "as it came"), (0.04, "4 % too high"), (-0.25, "22 % too low")],
)
def test_bias(log_ratio: float | None, says: str):
    assert words.bias(log_ratio).replace(words.NBSP, " ") == says


def test_numbers_are_rounded_as_people_do():
    assert [words.number(value) for value in (0.5, 1.5, 81234.5, None)] == ["1", "2", "81,235", "–"]


def test_words_know_all_that_is_documented():
    assert set(words.RULES) == documented(DOCUMENT.split("## Grades")[0])
    verdicts = dict(re.findall(r"^\| `?([A-D]|none)`? \| (.+?) \|", section("## Grades"), re.MULTILINE))
    assert verdicts == {letter or "none": text for letter, text in words.VERDICTS.items()}
    assert all(f"`{missing}`" in DOCUMENT for missing in words.MISSING)


def test_the_sample_is_as_documented():
    whole, grade = section("## The result").split("Each of `grades`:")
    assert set(sample()) == set(too_short()) == documented(whole)
    assert set(sample()["grades"][0]) == set(too_short()["grades"][0]) == documented(grade)


# ----------------------------------------------------------------------- page
@pytest.mark.parametrize("result", [sample(), too_short()], ids=["sample", "too short"])
def test_the_page_needs_nothing_else(result: dict):
    tree = rendered(result)
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for element in tree.iter():
        tag = element.tag.rsplit("}", 1)[-1]
        assert tag not in {"script", "link", "iframe", "img", "object", "embed"}
        for name, value in element.attrib.items():
            if name.rsplit("}", 1)[-1] in {"src", "href"}:
                assert value.startswith("#")
                assert value[1:] in ids
            for target in re.findall(r"url\((.*?)\)", value):
                assert target.strip("'\"")[1:] in ids
        if tag == "style":
            assert not re.search(r"url\(|@import", element.text or "")


def test_the_page_has_the_figures():
    tree = rendered(sample())
    drawings = [each for each in tree.iter() if each.get("role") == "img"]
    assert len(drawings) == 2 * 3 + 1
    assert all(each.get("aria-label") and each.find("{http://www.w3.org/2000/svg}svg") for each in drawings)
    shown = text(tree)
    for words_of_it in (
        "silent for 60 days or more) finds 15",
        "0.781 (0.750, 0.810)",
        "+0.040 (+0.012, +0.068)",
        "52,100",
        "The 20 % of customers most at risk hold 45 %",
        "Over 8 periods 7,560 orders were forecast and 7,580 came",
        "regression averaged with MBG/NBD 0.101 0.781 chosen",
        words.CHOICE,
        "Retail",
        "Of the customers looked at fewer than 30 were active",
        "12 orders dated after 2026-11-22 were left out.",
        "2026-11-22, the last day in orders.csv",
        "Churn horizon 90 days",
    ):
        assert words_of_it in shown
    assert "sample" not in shown


def test_the_page_of_a_sample_says_so():
    result = sample() | {"sample": {"customers": 20_000, "of": 41_440}}
    shown = text(rendered(result))
    for words_of_it in (
        "Of a sample of 20,000 of the 41,440 customers: on 2026-08-24, of the 50",
        "Of a sample of 20,000 of the 41,440 customers: over 8 periods",
        "What the customers known at a cut-off ordered",
        "Customers looked at 20,000, a sample of the 41,440 there are",
    ):
        assert words_of_it in shown
    assert "all customers known at a cut-off ordered" not in shown


def test_a_short_history_is_said_plainly():
    tree = rendered(too_short())
    assert "Too little data to tell" in text(tree)
    assert "no day in it has enough orders before it and the longest churn horizon after it" in text(tree)
    assert not [each for each in tree.iter() if each.get("role") == "img"]


def test_every_number_may_be_null():
    result = sample()
    for grade in result["grades"]:
        for rows in (grade["calibration"], grade["lift"], grade["deciles"]):
            for row in rows:
                row |= {key: None for key in row if key != "share"}
        grade |= {key: None for key in grade if isinstance(grade[key], int | float)}
    result["tracking"] = [{**dict.fromkeys(row), "date": row["date"]} for row in result["tracking"]]
    result["tiers"] = [tier | {"brier": None, "auc": None} for tier in result["tiers"]]
    assert "None" not in text(rendered(result))
    assert "nan" not in text(rendered(result))


def test_names_are_text_and_nothing_else():
    name = "<script>alert(1)</script> & $x$ [red]"
    result = sample()
    result["warnings"] = [name]
    result["grades"][1]["format"] = name
    shown = text(rendered(result, Subject(name, "2026-11-22", currency="<$x$>")))
    assert shown.count(name) > 2
    assert "81,235 <$x$>" in shown


def test_the_same_result_gives_the_same_page():
    assert page.render(sample(), SUBJECT) == page.render(sample(), SUBJECT)


@pytest.mark.parametrize(
    ("name", "says"), [("report.pdf", ".html"), ("absent/report.html", "no folder"), ("folder.html", "file")]
)
def test_a_target_is_refused_before_the_work(tmp_path: Path, name: str, says: str):
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(InputError, match=says):
        page.check_target(tmp_path / name)


def test_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    target = tmp_path / "report.html"
    page.write("old", target)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sync_worker.whole_file.os.replace", full)
    with pytest.raises(InputError, match="No space left"):
        page.write("new", target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
