// Holds every document in a folder of requests and answers to JSON:API, by the published jsonapi-validator.
//
// Usage: node check.js FOLDER. Ends with 0 if every document is as it should be, and every document that was broken
// on purpose is refused.
'use strict';

const fs = require('fs');
const path = require('path');
const { Validator } = require('jsonapi-validator');
const published = require('jsonapi-validator/lib/schema.json');

let passed = 0;
let failed = 0;

// The published schema is that of JSON:API 1.0, and otherwise as strict as one can wish. This is what 1.1 has more.
function schema() {
  const amended = JSON.parse(JSON.stringify(published));
  // "Links": a link that does not exist is null. 1.0 says so of pagination, and so does the published schema, but its
  // rule for all links forbids it again.
  amended.definitions.link.oneOf.push({ type: 'null' });
  // "JSON:API Object": the profiles that were applied.
  amended.definitions.jsonapi.properties.profile = { type: 'array', items: { type: 'string', format: 'uri' } };
  return amended;
}

// The published schema is that of answers. In a request, "Document Structure" lets the resource be without an id that
// the server will choose. Terraform's clients leave it out of PATCH, too.
function schemaOfRequests() {
  const amended = schema();
  amended.definitions.resource.required = ['type'];
  return amended;
}

// Requests that shipped clients send although JSON:API has no such form.
const ODD = {
  'workspace-create': 'relationships whose tags and bindings are sent with their attributes',
  'project-create': 'relationships whose bindings are sent with their attributes',
};

// Each makes a good answer a bad one, where it can.
const BREAKS = {
  'a member that no document has': (document) => { document.more = 1; },
  'data and errors together': (document) => { document.errors = [{}]; document.data = null; },
  'neither data nor errors nor meta': (document) => { delete document.data; delete document.errors; delete document.meta; },
  'a resource without a type': (document) => { delete one(document).type; },
  'an id that is a number': (document) => { one(document).id = 7; },
  'a member that no resource has': (document) => { one(document).name = 'x'; },
  'an attribute called id': (document) => { one(document).attributes.id = 'x'; },
  'a relationship with nothing in it': (document) => { one(document).relationships.nothing = {}; },
  'a link that is a number': (document) => { document.links.self = 7; },
  'an error whose status is a number': (document) => { document.errors[0].status = 404; },
  'a member that no error has': (document) => { document.errors[0].more = 1; },
};

// The first resource of the primary data.
function one(document) {
  return Array.isArray(document.data) ? document.data[0] : document.data;
}

function broken(document, change) {
  const copy = JSON.parse(JSON.stringify(document));
  try {
    change(copy);
  } catch (error) {
    return null; // It has not got what would be broken.
  }
  return JSON.stringify(copy) === JSON.stringify(document) ? null : copy;
}

function check(what, holds, faults) {
  if (holds) {
    passed += 1;
    return;
  }
  failed += 1;
  console.log(`FAIL ${what}`);
  faults.forEach((fault) => console.log(`     ${fault.dataPath || 'the document'} ${fault.message}`));
}

function faultsOf(validator, document) {
  try {
    validator.validate(document);
    return [];
  } catch (error) {
    return error.errors;
  }
}

function main(folder) {
  const answers = new Validator(schema());
  const requests = new Validator(schemaOfRequests());
  const refused = new Map(Object.keys(BREAKS).map((name) => [name, 0]));
  for (const file of fs.readdirSync(folder).sort()) {
    const name = path.basename(file, '.json');
    const exchange = JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8'));
    const { request: { document: request }, response: { document: answer, headers } } = exchange;
    if (request) {
      const faults = faultsOf(requests, request);
      check(`the request of ${name}`, (faults.length > 0) === (name in ODD), faults);
    }
    // The audit trail has the HCP API's own form, and says so.
    if (answer && headers['Content-Type'] === 'application/vnd.api+json') {
      const faults = faultsOf(answers, answer);
      check(`the answer of ${name}`, faults.length === 0, faults);
      for (const [what, change] of Object.entries(BREAKS)) {
        const bad = broken(answer, change);
        if (bad) {
          check(`the answer of ${name} with ${what} is refused`, faultsOf(answers, bad).length > 0, []);
          refused.set(what, refused.get(what) + 1);
        }
      }
    }
  }
  refused.forEach((times, what) => check(`some answer was tried with ${what}`, times > 0, []));
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

process.exitCode = main(process.argv[2]);
