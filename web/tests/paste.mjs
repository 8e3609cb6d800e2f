/** Puts a text into the editor of a page in the place of what is there, as the clipboard would. */
export async function paste(page, text) {
  const editor = page.locator(".cm-content");
  await editor.focus();
  await page.keyboard.press("Control+a");
  await editor.evaluate((one, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    one.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, text);
}
