// A short word at the bottom of the page, which screen readers say too.
let place: HTMLElement | undefined;
let timer: number | undefined;

export function toast(text: string): void {
  if (!place) {
    place = document.createElement("div");
    place.className = "toast";
    place.setAttribute("role", "status");
    document.body.append(place);
  }
  place.hidden = false;
  place.textContent = text;
  window.clearTimeout(timer);
  timer = window.setTimeout(() => { place!.hidden = true; }, 2500);
}
