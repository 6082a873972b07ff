/** Circles in a graph whose nodes are names. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** Groups of nodes that reach each other: strongly connected components of more than one node (Tarjan). */
export function circlesOf(graph: Graph): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const path: string[] = [];
  const circles: string[][] = [];
  const low = (node: string): number => lowest.get(node) ?? Number.POSITIVE_INFINITY;
  const visit = (node: string): void => {
    order.set(node, order.size);
    lowest.set(node, order.size - 1);
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) visit(next);
      if (path.includes(next)) lowest.set(node, Math.min(low(node), low(next)));
    }
    if (low(node) !== order.get(node)) return;
    const circle = path.splice(path.indexOf(node));
    if (circle.length > 1) circles.push(circle.sort());
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return circles;
}

/** `graph` with each node replaced by `group(node)`; what becomes an edge of a group to itself is dropped. */
export function grouped(graph: Graph, group: (node: string) => string): Graph {
  const groups = new Map<string, Set<string>>();
  for (const [node, targets] of graph) {
    const own = group(node);
    const edges = groups.get(own) ?? new Set<string>();
    groups.set(own, edges);
    for (const target of targets) if (group(target) !== own) edges.add(group(target));
  }
  return groups;
}
