/** The part of highlight.js that the page uses; an emitter is told of the text and of the scopes it stands in. */
interface Highlight {
  configure(options: { __emitter: new () => object }): void;
  highlight(code: string, options: { language: string; ignoreIllegals: boolean }): { _emitter: any };
  registerLanguage(name: string, grammar: unknown): void;
}
declare const highlight: { newInstance(): Highlight };
export default highlight;
