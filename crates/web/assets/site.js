// What makes waiting and sending easier where scripts run. Without them every page works the same, with a link to look
// again and the browser's own way to send files.

// A part of a page that shows how far our work is: the page is asked for again, and that part changed to what it says now.
// Once the page has no such part any more there is something else to see, and it is loaded anew.
const live = document.querySelector("[data-live]");
if (live) {
  let pause = 1000;
  const look = async () => {
    if (document.visibilityState === "visible") {
      try {
        const answer = await fetch(location.href, { headers: { accept: "text/html" } });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const now = page.querySelector("[data-live]");
        if (!answer.ok || answer.redirected || !now) {
          location.reload();
          return;
        }
        if (now.innerHTML === live.innerHTML) {
          pause = Math.min(pause * 1.2, 15000);
        } else {
          live.replaceChildren(...now.childNodes);
          pause = 1000;
        }
      } catch {
        // The network is away: the next look may find it.
      }
    }
    setTimeout(look, pause);
  };
  setTimeout(look, pause);
}

// The page that takes files: says what is wrong with a file before it is sent, takes files that are dropped anywhere on
// it, and shows how much of them is on its way.

const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

const size = (bytes) => {
  if (bytes < 1000) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  if (bytes < 1000 * 1000) return `${Math.round(bytes / 1000)} kB`;
  return `${(bytes / (1000 * 1000)).toFixed(1)} MB`;
};

// What can be said of files without looking into them; the server says the same of what comes all the same.
const wrongWith = (files, form) => {
  const { fileBytes, files: most } = form.dataset;
  const wrong = [];
  if (files.length > Number(most)) {
    wrong.push(`You chose ${files.length} files, and ${most} can be sent together.`);
  }
  const seen = new Map();
  for (const file of files) {
    const same = `${file.name} ${file.size} ${file.lastModified}`;
    if (file.size === 0) {
      wrong.push(`The file "${file.name}" is empty. Look whether it was saved, and choose it again; a folder can't be sent, only the files in it.`);
    } else if (file.size > Number(fileBytes)) {
      wrong.push(`The file "${file.name}" has ${size(file.size)}, which is more than can be sent. Remove pictures, unused sheets and blank formatted rows, and choose it again.`);
    } else if (seen.has(same)) {
      wrong.push(`You chose the file "${file.name}" twice. Choose it once.`);
    }
    seen.set(same, file);
  }
  return wrong;
};

const tellProblems = (problems) => {
  document.querySelector("main .ds_error-summary")?.remove();
  if (problems.length === 0) return;
  const title = element("h2", { class: "ds_error-summary__title", id: "error-summary-title" }, "There is a problem");
  const items = problems.map((problem) => element("li", {}, element("a", { href: "#file" }, problem)));
  const list = element("ul", { class: "ds_error-summary__list" }, ...items);
  const summary = element(
    "div",
    { class: "ds_error-summary", role: "alert", "aria-labelledby": "error-summary-title", tabindex: "-1" },
    title,
    list,
  );
  document.querySelector("main").prepend(summary);
  summary.focus();
};

const enhance = (form) => {
  const input = form.querySelector("input[type=file]");
  const chosen = form.querySelector("[data-chosen]");
  const way = form.querySelector("[data-way]");
  const buttons = [...form.querySelectorAll("button")];
  let request = null;

  const list = () => {
    const files = [...input.files];
    chosen.replaceChildren(...files.map((file) => element("li", {}, `${file.name} (${size(file.size)})`)));
    chosen.hidden = files.length === 0;
  };
  input.addEventListener("change", () => {
    list();
    tellProblems(wrongWith(input.files, form));
  });
  list();

  // A file that is dropped beside the field would be opened instead of the page.
  const dropped = (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    if (event.type !== "drop" || request) return;
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.());
    const folder = entries.find((entry) => entry?.isDirectory);
    if (folder) {
      tellProblems([`"${folder.name}" is a folder. Open it, and choose or drop the files in it.`]);
      return;
    }
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change"));
  };
  document.addEventListener("dragover", dropped);
  document.addEventListener("drop", dropped);

  const stop = (...words) => {
    request = null;
    way.replaceChildren(...words);
    for (const button of buttons) button.disabled = false;
  };

  const show = (sent, all) => {
    const share = Math.floor((100 * sent) / all);
    const bar = element("progress", { max: 100, value: share, "aria-label": "How much is sent" });
    const words = sent < all ? `${size(sent)} of ${size(all)} sent (${share}%)` : "All of it is sent. We are putting it away.";
    // Each step of ten is told; between them only the picture changes.
    if (way.dataset.told === String(Math.floor(share / 10)) && sent < all) {
      way.querySelector("progress")?.setAttribute("value", share);
      return;
    }
    way.dataset.told = Math.floor(share / 10);
    const cancel = element("button", { class: "ds_button ds_button--secondary", type: "button" }, "Stop sending");
    cancel.addEventListener("click", () => {
      request?.abort();
      stop(element("p", {}, "Stopped. Nothing was sent or kept."));
    });
    way.replaceChildren(bar, element("p", {}, words), ...(sent < all ? [cancel] : []));
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (request) return;
    const wrong = wrongWith(input.files, form);
    tellProblems(wrong);
    if (wrong.length > 0) return;
    request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("accept", "text/html");
    request.upload.addEventListener("progress", ({ loaded, total }) => show(loaded, total));
    request.addEventListener("load", () => {
      if (request.status < 400) {
        location.assign(request.responseURL);
        return;
      }
      answered(new DOMParser().parseFromString(request.responseText, "text/html"));
    });
    request.addEventListener("error", () => {
      stop();
      tellProblems(["The connection broke while your files were on the way. Nothing was kept. Look whether you are online, and press the button again."]);
    });
    const data = new FormData(form, event.submitter ?? undefined);
    for (const button of buttons) button.disabled = true;
    show(0, 1);
    request.send(data);
  });

  // What the server says of what was sent: its page takes this one's place, with the files that are chosen.
  const answered = (page) => {
    const main = page.querySelector("main");
    if (!main) {
      stop(element("p", {}, "Something went wrong on our side. Nothing was kept: try again in a few minutes."));
      return;
    }
    document.removeEventListener("dragover", dropped);
    document.removeEventListener("drop", dropped);
    const again = main.querySelector("form[data-upload]");
    document.title = page.title;
    document.querySelector("main").replaceWith(main);
    if (again) {
      again.querySelector("input[type=file]").files = input.files;
      main.querySelector("[data-chosen-again]")?.remove();
      enhance(again);
    }
    const summary = main.querySelector(".ds_error-summary");
    summary?.setAttribute("tabindex", "-1");
    (summary ?? main).focus();
  };
};

const upload = document.querySelector("form[data-upload]");
if (upload) enhance(upload);
