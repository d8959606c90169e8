/* Tables of results sort by their cells: a class's name, or the data-value of a cell, which unknown values lack.
   data-sort of a heading says whether values are text, or which number comes first.
   A filter keeps the rows that have its word in data-kind; the one with data-first is pressed when the page opens. */
{
  const isText = (heading) => heading.dataset.sort === "text";
  const sortValue = (row, heading) => {
    if (heading.cellIndex === 0) return row.cells[0].textContent;
    const { value } = row.cells[heading.cellIndex].dataset;
    return value === undefined ? null : isText(heading) ? value : Number(value);
  };
  classTable({
    sortValue,
    largestFirst: (heading) => heading.dataset.sort === "largest",
    inFilter: (row, kind) => row.dataset.kind.split(" ").includes(kind),
  }).start();
  if (!location.hash) document.querySelector("[data-first]")?.click();
}
