export * from "./types/kodama.js";
