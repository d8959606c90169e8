/* Buttons that copy the text of an element; where the clipboard is not to be had, the text is selected instead. */
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const selected = () => {
    const range = document.createRange();
    range.selectNodeContents(source);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    return document.execCommand("copy");
  };
  let copied;
  try {
    await navigator.clipboard.writeText(source.textContent);
    copied = true;
  } catch {
    copied = selected();
  }
  button.textContent = copied ? "Copied" : "Selected: press Ctrl+C";
  document.getElementById("copied").textContent = button.textContent;
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
});
