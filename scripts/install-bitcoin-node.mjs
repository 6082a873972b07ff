#!/usr/bin/env node
// Puts a Bitcoin node for tests (Bitcoin Knots, which answers as Bitcoin Core does) into a folder, from Debian's
// packages:
//   node scripts/install-bitcoin-node.mjs DIR      afterwards DIR/bitcoind and DIR/bitcoin-cli run
// Nothing outside DIR is written: apt works on lists, cache and package state of its own in there. The node is newer
// than what stable releases carry, so it comes from the unstable suite with the libraries it needs, the dynamic loader
// among them, and is started through that loader. Exits 0 at once if DIR holds a node already, 3 if this system cannot
// give one (no apt, no network, no package).
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';

const PACKAGE = 'bitcoin-knots';
const PROGRAMS = ['bitcoind', 'bitcoin-cli'];
/** Libraries of the system's own upkeep: dependencies on paper that no program here loads. */
const UNUSED = /^lib(acl|apt|audit|blkid|cap|crypt1|db5|debconf|fdisk|mount|pam|pcre|perl|selinux|smartcols|systemd)/;

const [target] = process.argv.slice(2);
if (target === undefined) {
  process.stderr.write('usage: node scripts/install-bitcoin-node.mjs DIR\n');
  process.exit(2);
}
const folder = resolve(target);
if (PROGRAMS.every((name) => existsSync(join(folder, name)))) process.exit(0);
try {
  install();
} catch (error) {
  process.stderr.write(`no node could be installed: ${error instanceof Error ? error.message : error}\n`);
  process.exit(3);
}

function install() {
  const work = join(folder, 'work');
  rmSync(work, { recursive: true, force: true });
  for (const part of ['lists/partial', 'cache/archives/partial', 'parts', 'packages']) {
    mkdirSync(join(work, part), { recursive: true });
  }
  writeFileSync(join(work, 'status'), '');
  writeFileSync(join(work, 'sources.list'), `deb [signed-by=${keyring()}] ${mirror()} sid main\n`);
  const options = Object.entries({
    'Dir::State::lists': join(work, 'lists'),
    'Dir::State::status': join(work, 'status'),
    'Dir::Cache': join(work, 'cache'),
    'Dir::Etc::sourcelist': join(work, 'sources.list'),
    'Dir::Etc::sourceparts': join(work, 'parts'),
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
    'Debug::NoLocking': '1',
  }).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const apt = (...args) => {
    const how = { cwd: join(work, 'packages'), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 240_000 };
    return execFileSync('apt-get', ['-qq', ...options, ...args], how);
  };
  apt('update');
  // With an empty package state, all that the node depends on would be installed: these are the names.
  const wanted = apt('install', '--no-install-recommends', '--print-uris', PACKAGE, 'systemd-standalone-sysusers')
    .split('\n')
    .map((line) => line.split(' ')[1]?.split('_')[0] ?? '')
    .filter((name) => name === PACKAGE || (name.startsWith('lib') && !UNUSED.test(name)));
  apt('download', ...wanted);
  const root = join(folder, 'root');
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root);
  for (const file of readdirSync(join(work, 'packages'))) {
    execFileSync('dpkg-deb', ['-x', join(work, 'packages', file), root]);
  }
  const libraries = libraryFolder(root);
  const loader = readdirSync(libraries).find((name) => /^ld-linux.*\.so\.\d$/.test(name));
  if (loader === undefined) throw new Error('the packages hold no dynamic loader');
  for (const name of PROGRAMS) {
    const script = [
      '#!/bin/sh',
      `exec "${join(libraries, loader)}" --library-path "${libraries}" "${join(root, 'usr/bin', name)}" "$@"`,
      '',
    ].join('\n');
    // Named last, so that a folder with the programs is a whole one.
    writeFileSync(join(work, name), script);
    chmodSync(join(work, name), 0o755);
  }
  execFileSync(join(work, 'bitcoind'), ['-version'], { stdio: 'ignore' });
  for (const name of PROGRAMS) renameSync(join(work, name), join(folder, name));
  rmSync(work, { recursive: true, force: true });
}

/** The mirror that this system is set up with. */
function mirror() {
  for (const path of ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list']) {
    if (!existsSync(path)) continue;
    const found = /^(?:URIs:|deb(?: \[[^\]]*\])?)\s+(\S+debian)\/?(?:\s|$)/m.exec(readFileSync(path, 'utf8'));
    if (found) return found[1];
  }
  throw new Error('this system names no Debian mirror');
}

function keyring() {
  const path = '/usr/share/keyrings/debian-archive-keyring.gpg';
  if (!existsSync(path)) throw new Error(`${path} is missing`);
  return path;
}

function libraryFolder(root) {
  const base = join(root, 'usr/lib');
  const name = readdirSync(base).find((entry) => /-linux-gnu$/.test(entry));
  if (name === undefined) throw new Error('the packages hold no libraries');
  return join(base, name);
}
