import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { count, whole } from '../data/format.js';
import { type Graph, notesOf } from '../data/graph.js';
import { pathTo } from '../route.js';
import { Card, Notice } from '../ui/parts.js';
import { Details } from './details.js';
import type { ColourBy, Picture } from './draw.js';
import type { Focus } from './focus.js';
import { HotKeys } from './hot-keys.js';
import { Timeline } from './timeline.js';

const COLOUR_BY: Readonly<Record<ColourBy, string>> = { batch: 'batch', executor: 'what ran them', status: 'status' };

/** The conflict graph of a block, what made its transactions wait, and when what ran. */
export function GraphCards({ graph }: { graph: Graph }): JSX.Element {
  const [picked, setPicked] = useState<Focus>();
  const [hovered, setHovered] = useState<Focus>();
  const [by, setBy] = useState<ColourBy>('batch');
  const focus = hovered ?? picked;
  return (
    <>
      <Card
        title="Conflict graph"
        aside={
          <label class="quiet">
            Colour by{' '}
            <select value={by} onChange={(event) => setBy(event.currentTarget.value as ColourBy)}>
              {Object.entries(COLOUR_BY).map(([value, words]) => (
                <option key={value} value={value}>
                  {words}
                </option>
              ))}
            </select>
          </label>
        }
      >
        <Chips graph={graph} picked={picked} pick={setPicked} />
        <div class="graph">
          <Canvas graph={graph} focus={focus} by={by} picked={picked} hover={setHovered} pick={setPicked} />
          <Details graph={graph} focus={focus} />
        </div>
        <Legend graph={graph} />
      </Card>
      <Card title="Batches" aside={<span class="quiet">what ran them, from the first batch to the last</span>}>
        <Timeline graph={graph} />
      </Card>
      <HotKeys graph={graph} picked={picked} pick={setPicked} />
    </>
  );
}

interface Picking {
  readonly graph: Graph;
  readonly picked: Focus | undefined;
  readonly pick: (focus: Focus | undefined) => void;
}

/** What can be marked in the picture. */
function Chips({ graph, picked, pick }: Picking): JSX.Element {
  const notes = new Map<string, number>();
  for (const node of graph.nodes) for (const note of notesOf(node)) notes.set(note, (notes.get(note) ?? 0) + 1);
  const isPicked = (focus: Focus): boolean => JSON.stringify(focus) === JSON.stringify(picked);
  const chips: { readonly text: string; readonly focus: Focus }[] = [
    ...(graph.longest.length > 1
      ? [{ text: `longest chain ${whole(graph.longest.length)}`, focus: { kind: 'longest' } as const }]
      : []),
    ...[...notes].map(([note, of]) => ({ text: `${note} ${whole(of)}`, focus: { kind: 'note', note } as const })),
  ];
  return (
    <fieldset class="chips">
      <legend class="unseen">Mark in the picture</legend>
      {chips.map(({ text, focus }) => (
        <button
          key={text}
          type="button"
          aria-pressed={isPicked(focus)}
          onClick={() => pick(isPicked(focus) ? undefined : focus)}
        >
          {text}
        </button>
      ))}
    </fieldset>
  );
}

interface CanvasProps extends Picking {
  readonly focus: Focus | undefined;
  readonly by: ColourBy;
  readonly hover: (focus: Focus | undefined) => void;
}

function Canvas({ graph, focus, by, picked, hover, pick }: CanvasProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const picture = useRef<Picture | undefined>(undefined);
  const [fault, setFault] = useState<string>();
  const now = useRef({ focus, by, picked });
  now.current = { focus, by, picked };
  useEffect(() => {
    let wanted = true;
    const draw = async (): Promise<void> => {
      const { current } = place;
      try {
        const { Picture } = await import('./draw.js');
        if (!wanted || current === null) return;
        picture.current = new Picture(current, graph, { onHover: hover, onPick: pick });
        const { focus, by, picked } = now.current;
        picture.current.look(focus, by, focus === picked);
      } catch (error) {
        setFault(error instanceof Error ? error.message : String(error));
      }
    };
    void draw();
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const changed = (): void => picture.current?.recolour();
    scheme.addEventListener('change', changed);
    return () => {
      wanted = false;
      scheme.removeEventListener('change', changed);
      picture.current?.close();
      picture.current = undefined;
    };
  }, [graph, hover, pick]);
  useEffect(() => picture.current?.look(focus, by, focus === picked), [focus, by, picked]);
  const pressed = (event: KeyboardEvent): void => {
    const next = nextOf(graph, picked, event.key);
    if (event.key === 'Enter' && picked?.kind === 'node') location.hash = pathTo('tx', graph.nodes[picked.at].txid);
    if (event.key === 'Escape') pick(undefined);
    if (next === undefined) return;
    event.preventDefault();
    pick({ kind: 'node', at: next });
  };
  if (fault !== undefined) {
    return <Notice tone="warn">The picture cannot be drawn here ({fault}). The tables below say the same.</Notice>;
  }
  return (
    <div class="graph-frame">
      <div
        class="graph-place"
        ref={place}
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: an application takes keys
        tabIndex={0}
        aria-label={
          `Conflict graph of ${count(graph.nodes.length, 'transaction')} and ${count(graph.edges.length, 'edge')}. ` +
          'Left and right go through the transactions, up to one that this one waited for, down to one that waited ' +
          'for it, Enter opens it, Escape ends.'
        }
        onKeyDown={pressed}
        onMouseLeave={() => hover(undefined)}
      />
      <fieldset class="zoom">
        <legend class="unseen">Zoom</legend>
        <button type="button" aria-label="Nearer" onClick={() => picture.current?.zoom(1.6)}>
          +
        </button>
        <button type="button" aria-label="Farther" onClick={() => picture.current?.zoom(1 / 1.6)}>
          −
        </button>
        <button type="button" aria-label="Show all" onClick={() => picture.current?.zoom(0)}>
          ⤢
        </button>
      </fieldset>
    </div>
  );
}

/** The transaction that an arrow key leads to. */
function nextOf({ nodes, edges, before, after }: Graph, picked: Focus | undefined, key: string): number | undefined {
  const at = picked?.kind === 'node' ? picked.at : undefined;
  const moves: Readonly<Record<string, () => number | undefined>> = {
    ArrowRight: () => (at === undefined ? 0 : Math.min(nodes.length - 1, at + 1)),
    ArrowLeft: () => (at === undefined ? nodes.length - 1 : Math.max(0, at - 1)),
    ArrowUp: () => (at === undefined || before[at].length === 0 ? at : edges[before[at][0]].from),
    ArrowDown: () => (at === undefined || after[at].length === 0 ? at : edges[after[at][0]].to),
  };
  return moves[key]?.();
}

function Legend({ graph: { colours, source } }: { graph: Graph }): JSX.Element {
  return (
    <p class="legend quiet">
      <span>
        batch 1 <i class="ramp" aria-hidden="true" /> {whole(colours)}
      </span>
      <span>
        <i class="dash mark" aria-hidden="true" /> longest chain
      </span>
      <span>
        <i class="dash" aria-hidden="true" /> waited for, coloured by key (below)
      </span>
      {source === 'run' && <span>pale: did not wait, as the value was predicted or not touched by the dry run</span>}
    </p>
  );
}
