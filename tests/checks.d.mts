// The types of checks.mjs, for clients that are written in TypeScript.

export function check(sentence: string, body: () => void | Promise<void>): Promise<void>;
export function expect(condition: unknown, explanation: unknown): asserts condition;
export function same<T>(what: string, actual: T, expected: NoInfer<T>): void;
export function finish(): never;
