"""tools/totals adds up what steps leave behind."""


def write(folder, name, rc, xml=None):
    (folder / f"{name}.rc").write_text(str(rc))
    if xml is not None:
        (folder / f"{name}.xml").write_text(f"<testsuite>{xml}</testsuite>")


PASS = '<testcase classname="c" name="a"/>'
FAIL = '<testcase classname="c" name="b"><failure message="x"/></testcase>'
SKIP = '<testcase classname="c" name="s"><skipped message="no peer"/></testcase>'


def run(totals, folder, capsys, *flags, skips=""):
    listed = folder / "skips.txt"
    listed.write_text(skips)
    code = totals.main([str(folder), str(listed), *flags])
    return code, capsys.readouterr().out.splitlines()[-1]


def test_adds_reports_and_plain_steps(totals, tmp_path, capsys):
    write(tmp_path, "unit", 0, PASS + PASS + SKIP)
    write(tmp_path, "check", 0)
    assert run(totals, tmp_path, capsys) == (0, "3 passed, 0 failed, 1 skipped")


def test_failures_fail(totals, tmp_path, capsys):
    write(tmp_path, "unit", 1, PASS + FAIL)
    write(tmp_path, "check", 1)
    assert run(totals, tmp_path, capsys) == (1, "1 passed, 2 failed, 0 skipped")


def test_a_crash_behind_a_clean_report_is_a_failure(totals, tmp_path, capsys):
    write(tmp_path, "unit", 139, PASS)
    assert run(totals, tmp_path, capsys) == (1, "1 passed, 1 failed, 0 skipped")


def test_a_broken_report_is_a_failure(totals, tmp_path, capsys):
    write(tmp_path, "unit", 0, "<testcase")
    assert run(totals, tmp_path, capsys) == (1, "0 passed, 1 failed, 0 skipped")


def test_unlisted_skip_fails_only_when_strict(totals, tmp_path, capsys):
    write(tmp_path, "unit", 0, PASS + SKIP)
    assert run(totals, tmp_path, capsys)[0] == 0
    assert run(totals, tmp_path, capsys, "--strict") == (1, "1 passed, 1 failed, 1 skipped")
    assert run(totals, tmp_path, capsys, "--strict", skips="# list\nc.s no peer\n") == (0, "1 passed, 0 failed, 1 skipped")


def test_nothing_run_is_a_failure(totals, tmp_path, capsys):
    assert run(totals, tmp_path, capsys)[0] == 1


def test_names_what_failed(totals, tmp_path, capsys):
    write(tmp_path, "unit", 1, PASS + FAIL)
    write(tmp_path, "check", 3)
    assert totals.main([str(tmp_path), str(tmp_path / "none.txt")]) == 1
    assert [line for line in capsys.readouterr().out.splitlines() if "FAIL" in line] == [
        "  FAIL c.b: x", "  FAIL check: exit code 3"]
