/** Draws a conflict graph with WebGL. Loaded with the first picture that is shown. */
import Graphology from 'graphology';
import Sigma from 'sigma';
import type { Graph } from '../data/graph.js';
import { batchColour, type Colours, coloursOf, KEY_COLOURS, mix } from './colours.js';
import { type Focus, type Lit, litBy, longestEdges } from './focus.js';
import { layoutOf } from './layout.js';

export type ColourBy = 'batch' | 'executor' | 'status';

interface PictureEvents {
  /** The pointer is over something, or over nothing any more. */
  readonly onHover: (focus: Focus | undefined) => void;
  readonly onPick: (focus: Focus | undefined) => void;
}

/** Up to so many transactions have their numbers beside them; beyond so many edges none is drawn while moving. */
const MOST_LABELS = 60;
const MOST_MOVING_EDGES = 8_000;
/** How much of what is not looked at stays visible: where something is picked, and where it is only pointed at. */
const FADED = 0.14;
const HALF_FADED = 0.4;

interface Drawn {
  readonly color: string;
  readonly size: number;
}

export class Picture {
  readonly #sigma: Sigma;
  readonly #graph: Graph;
  #colours: Colours;
  #page: string;
  #by: ColourBy = 'batch';
  #faded = FADED;
  #lit: Lit | undefined;
  readonly #longest: ReadonlySet<number>;
  readonly #size: number;

  constructor(place: HTMLElement, graph: Graph, { onHover, onPick }: PictureEvents) {
    this.#graph = graph;
    this.#longest = new Set(longestEdges(graph));
    this.#colours = coloursOf();
    this.#page = getComputedStyle(document.documentElement).getPropertyValue('--graph').trim();
    const count = graph.nodes.length;
    this.#size = Math.max(2, Math.min(9, 130 / Math.sqrt(count + 1)));
    this.#sigma = new Sigma(graphologyOf(graph), place, {
      allowInvalidContainer: true,
      renderLabels: count <= MOST_LABELS,
      labelRenderedSizeThreshold: 0,
      labelSize: 11,
      labelFont: this.#colours.font,
      labelColor: { color: this.#colours.text },
      enableEdgeEvents: true,
      hideEdgesOnMove: graph.edges.length > MOST_MOVING_EDGES,
      zIndex: true,
      minCameraRatio: 0.02,
      maxCameraRatio: 2,
      stagePadding: 24,
      // The page itself tells what is under the pointer.
      defaultDrawNodeHover: () => undefined,
      nodeReducer: (node, data) => ({ ...data, ...this.#node(Number(node)) }),
      edgeReducer: (edge, data) => ({ ...data, ...this.#edge(Number(edge)) }),
    });
    this.#sigma.on('enterNode', ({ node }) => onHover({ kind: 'node', at: Number(node) }));
    this.#sigma.on('leaveNode', () => onHover(undefined));
    this.#sigma.on('enterEdge', ({ edge }) => onHover({ kind: 'edge', at: Number(edge) }));
    this.#sigma.on('leaveEdge', () => onHover(undefined));
    this.#sigma.on('clickNode', ({ node }) => onPick({ kind: 'node', at: Number(node) }));
    this.#sigma.on('clickEdge', ({ edge }) => onPick({ kind: 'edge', at: Number(edge) }));
    this.#sigma.on('clickStage', () => onPick(undefined));
  }

  look(focus: Focus | undefined, by: ColourBy, isPicked: boolean): void {
    this.#faded = isPicked ? FADED : HALF_FADED;
    this.#lit = focus && litBy(this.#graph, focus);
    this.#by = by;
    this.#sigma.refresh({ skipIndexation: true });
  }

  /** Takes the colours of the page as they are now. */
  recolour(): void {
    this.#colours = coloursOf();
    this.#page = getComputedStyle(document.documentElement).getPropertyValue('--graph').trim();
    this.#sigma.setSetting('labelColor', { color: this.#colours.text });
    this.#sigma.refresh({ skipIndexation: true });
  }

  zoom(by: number): void {
    const camera = this.#sigma.getCamera();
    void (by === 0 ? camera.animatedReset() : camera.animatedZoom({ factor: by }));
  }

  close(): void {
    this.#sigma.kill();
  }

  #node(at: number): Drawn & { zIndex: number; label: string } {
    const node = this.#graph.nodes[at];
    const isLit = this.#lit === undefined || this.#lit.nodes.has(at);
    const color = this.#nodeColour(at);
    const isMarked = this.#lit !== undefined && isLit;
    return {
      color: isLit ? color : mix(this.#page, color, this.#faded),
      size: isMarked ? this.#size * 1.35 : this.#size,
      zIndex: isLit ? 2 : 0,
      label: isLit ? `#${node.index}` : '',
    };
  }

  #nodeColour(at: number): string {
    const { executor, colour, status } = this.#graph.nodes[at];
    const { executors, demoted, batches, mark, keys } = this.#colours;
    if (this.#by === 'executor') return executors[executor];
    if (this.#by === 'status')
      return status === 'OK' ? keys[2] : status === 'STANDARD' || status === 'NONE' ? demoted : mark;
    return colour === 0 ? demoted : batchColour(batches, colour, this.#graph.colours);
  }

  #edge(at: number): Drawn & { zIndex: number } {
    const { key, waited } = this.#graph.edges[at];
    const { edge, keys, mark } = this.#colours;
    const isLongest = this.#longest.has(at);
    const isLit = this.#lit === undefined || this.#lit.edges.has(at);
    const own = key !== null && key < KEY_COLOURS ? keys[key] : edge;
    const color = isLongest ? mark : waited ? own : mix(this.#page, own, 0.45);
    const size = isLongest ? 2.2 : this.#lit !== undefined && isLit ? 1.8 : 0.8;
    if (isLit) return { color, size, zIndex: isLongest || this.#lit !== undefined ? 2 : 1 };
    return { color: mix(this.#page, color, this.#faded), size: 0.6, zIndex: 0 };
  }
}

function graphologyOf(graph: Graph): Graphology {
  const drawn = new Graphology({ type: 'directed', multi: true });
  const { x, y } = layoutOf(graph);
  graph.nodes.forEach((_, at) => {
    drawn.addNode(at, { x: x[at], y: y[at], size: 1 });
  });
  graph.edges.forEach(({ from, to }, at) => {
    drawn.addDirectedEdgeWithKey(at, from, to, { size: 1 });
  });
  return drawn;
}
