/* The audit's table sorts by its cells: a class's name, or the data-value of a cell, which unknown values lack. */
{
  const isText = (heading) => heading.dataset.sort === "text";
  const sortValue = (row, heading) => {
    if (heading.cellIndex === 0) return row.cells[0].textContent;
    const { value } = row.cells[heading.cellIndex].dataset;
    return value === undefined ? null : isText(heading) ? value : Number(value);
  };
  classTable({
    sortValue,
    largestFirst: (heading) => !isText(heading),
    inFilter: (row, effect) => row.dataset.kind.split(" ").includes(effect),
  }).start();
}
