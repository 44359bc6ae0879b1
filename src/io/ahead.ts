/**
 * Passes items on in order; the next one is always being made while the consumer works on one. Begins at once. What was made
 * for a consumer that stops early goes to `discard`.
 */
export function ahead<Item>(
  items: AsyncGenerator<Item, void, undefined>,
  discard?: (item: Item) => Promise<void>,
): AsyncGenerator<Item, void, undefined> {
  const pull = () => {
    const next = items.next();
    next.catch(() => undefined); // thrown when its turn comes; a failure that nobody awaits yet would end the process
    return next;
  };
  let next = pull();
  return (async function* () {
    try {
      for (;;) {
        const { done, value } = await next;
        if (done) return;
        next = pull();
        yield value;
      }
    } finally {
      const unused = await next.catch(() => undefined);
      if (unused && !unused.done) await discard?.(unused.value);
      await items.return();
    }
  })();
}
