// The number of likes becomes a button for whoever is signed in.
import { sendJson } from "../api";
import { el } from "../dom";
import { toast } from "../toast";

export function start(place: HTMLElement): void {
  const path = place.dataset.path ?? "";
  const word = place.querySelector<HTMLElement>("[data-word]")!;
  const number = place.querySelector<HTMLElement>("[data-count]")!;
  const button = el("button", { type: "button", className: "count quiet" });
  button.append(...place.querySelector(".count")!.childNodes);
  let liked = place.dataset.liked === "true";
  let count = Number(number.textContent);

  const show = () => {
    number.textContent = String(count);
    word.textContent = count === 1 ? "like" : "likes";
    button.setAttribute("aria-pressed", String(liked));
    button.title = liked ? "You like this; take it back" : "Like";
  };
  button.addEventListener("click", async () => {
    if (place.dataset.may !== "true") {
      location.href = `/login?next=${encodeURIComponent(location.pathname + location.search)}`;
      return;
    }
    button.disabled = true;
    try {
      await sendJson(liked ? "DELETE" : "POST", path, {});
      liked = !liked;
      count += liked ? 1 : -1;
    } catch (fault) {
      toast((fault as Error).message);
    }
    button.disabled = false;
    show();
  });
  show();
  place.replaceChildren(button);
}
