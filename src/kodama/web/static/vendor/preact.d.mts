export type Ref<T> = { current: T | null };
export class Component<P = any, S = any> {
  constructor(props: P);
  props: P;
  state: S;
  setState(change: Partial<S> | ((state: S, props: P) => Partial<S> | null), done?: () => void): void;
  forceUpdate(): void;
  render(props: P, state: S): any;
}
export function h(type: any, props: any, ...children: any[]): any;
export function render(node: any, parent: Element): void;
export function createRef<T = any>(): Ref<T>;
