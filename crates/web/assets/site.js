// What makes waiting easier where scripts run. Without them every page works the same, with a link to look again.

// A page that waits for our work: asks for the state, and loads itself again when that is another one.
const waiting = document.querySelector("[data-waiting-for]");
if (waiting) {
  const { waitingFor, state } = waiting.dataset;
  let pause = 1000;
  const look = async () => {
    if (document.visibilityState === "visible") {
      try {
        const answer = await fetch(waitingFor, { headers: { accept: "application/json" } });
        if (!answer.ok || (await answer.json()).state !== state) {
          location.reload();
          return;
        }
      } catch {
        // The network is away: the next look may find it.
      }
      pause = Math.min(pause * 1.2, 15000);
    }
    setTimeout(look, pause);
  };
  setTimeout(look, pause);
}
