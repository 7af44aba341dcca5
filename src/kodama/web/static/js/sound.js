/** One short sound. Decided here: it is made, not fetched, and is quiet. */

/** @type {AudioContext | null} */
let context = null;
let last = -Infinity;
const PAUSE = 2000;

/** Two soft tones, at most every two seconds. */
export function chime() {
  const now = performance.now();
  if (now - last < PAUSE) return;
  last = now;
  context ??= new AudioContext();
  void context.resume();
  for (const [after, pitch] of [[0, 660], [0.09, 880]]) {
    const at = context.currentTime + after;
    const tone = context.createOscillator();
    const loudness = context.createGain();
    tone.frequency.value = pitch;
    loudness.gain.setValueAtTime(0.0001, at);
    loudness.gain.exponentialRampToValueAtTime(0.12, at + 0.01);
    loudness.gain.exponentialRampToValueAtTime(0.0001, at + 0.25);
    tone.connect(loudness).connect(context.destination);
    tone.start(at);
    tone.stop(at + 0.26);
  }
}
