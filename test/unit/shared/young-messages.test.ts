import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const PROGRAM = join(__dirname, '../../support/short-lived-objects.js');

function grownBytes(...parameters: string[]): number {
  const printed = execFileSync(process.execPath, [PROGRAM, ...parameters], { encoding: 'utf8' });
  return (JSON.parse(printed) as { grown: number }).grown;
}

void test('messages of a flow that started with many of them waiting are made among young objects', () => {
  const otherwise = grownBytes();
  const young = grownBytes('young');
  assert.ok(young < otherwise / 10, `${young} bytes of old objects, ${otherwise} otherwise`);
});
