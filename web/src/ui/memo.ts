import { Component, createElement, type ComponentType } from "preact";

/** A component that is drawn anew only when one of its properties is another value. (preact/compat has one too, but brings
 * other meanings of events along.) */
export function memo<P extends object>(Inner: ComponentType<P>): ComponentType<P> {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const before = this.props as Record<string, unknown>;
      const after = next as Record<string, unknown>;
      return Object.keys(after).some((name) => after[name] !== before[name]) || Object.keys(before).some((name) => !(name in after));
    }
    render() {
      return createElement(Inner, this.props as P);
    }
  };
}
