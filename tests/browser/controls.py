"""The Studio's controls, used as somebody uses them who waits until a dialog or a menu has come or gone."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


def settle(page: Page) -> None:
    """Wait until nothing has changed on the page for half a second; five seconds at most."""
    page.evaluate(
        """() => new Promise((done) => {
          let timer;
          const rest = () => { clearTimeout(timer); timer = setTimeout(done, 500); };
          new MutationObserver(rest).observe(
            document, {subtree: true, childList: true, attributes: true, characterData: true});
          rest();
          setTimeout(done, 5000);
        })"""
    )


def enter(field: Locator, text: str) -> None:
    """Type `text` in place of what a field holds.

    Playwright focuses a field and then types: a menu or a dialog that comes or goes may take the focus in between.
    """
    field.fill(text)
    if field.input_value() != text:
        field.fill(text)
        expect(field).to_have_value(text)


def choose(page: Page, label: str, option: str, *, exact: bool = True) -> None:
    """Choose an option of a select by its name, or by a part of it when not `exact`."""
    page.get_by_role("combobox", name=label).last.click()
    page.get_by_role("option", name=option, exact=exact).click()
    expect(page.get_by_role("listbox")).to_have_count(0)
