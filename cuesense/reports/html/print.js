/* On paper: the first classes of the table, as it is sorted and filtered, with their details on a sheet each. */
const printClasses = (order) => {
  const MOST = 6; /* sheets, which is as much as anybody reads */
  const place = document.getElementById("printed");
  addEventListener("beforeprint", () => {
    place.replaceChildren(...order().slice(0, MOST).map((at) => html("article", { class: "sheet-of-class" }, ...classDetail(at))));
    place.querySelectorAll("img").forEach((image) => { image.loading = "eager"; image.decoding = "sync"; });
  });
  addEventListener("afterprint", () => place.replaceChildren());
};
