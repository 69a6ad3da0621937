// What every page gets. Pages are complete without it; it adds the theme switch, keys, menus that close, copy buttons, and the
// islands that the page asks for with data-island="name".
import "./styles/main.css";
import { followTheme } from "./theme";
import { followKeys } from "./keys";
import { closeMenus, showOpenTab } from "./menus";
import { askBefore } from "./confirm";
import { addCopyButtons } from "./copy";
import { startIslands } from "./islands";

followTheme();
followKeys();
closeMenus();
showOpenTab();
askBefore(document);
addCopyButtons(document);
startIslands(document);
