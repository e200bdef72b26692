// An SMS centre made of node-smpp for tests/integration/test_smpp_node.py.
// Writes one JSON object a line: first {"port"}, then what happened.  Numbers decide what it does:
// …9 is throttled, …8 is an invalid number, …7 answers "Иә" in UCS-2, …6 gets its receipt before the response.
'use strict';
const smpp = require('smpp');

const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');
let count = 0;

function receipt(session, pdu, id, early) {
  const text = `id:${id} sub:001 dlvrd:001 submit date:2603010600 done date:2603010601 stat:DELIVRD err:000 text:`;
  session.deliver_sm({
    source_addr: pdu.destination_addr,
    destination_addr: pdu.source_addr,
    esm_class: 4,
    short_message: early ? '' : text,
    ...(early ? { receipted_message_id: id, message_state: 2 } : {}),
  }, (answer) => say({ receipt: id, status: answer.command_status }));
}

function submitted(session, pdu) {
  const last = pdu.destination_addr.slice(-1);
  const part = pdu.short_message.udh ? [...pdu.short_message.udh[0]] : null;
  say({
    to: pdu.destination_addr, from: pdu.source_addr, ton: pdu.source_addr_ton, npi: pdu.source_addr_npi,
    dest_ton: pdu.dest_addr_ton, dest_npi: pdu.dest_addr_npi, coding: pdu.data_coding,
    registered: pdu.registered_delivery, text: pdu.short_message.message, udh: part,
    validity: pdu.validity_period,
  });
  if (last === '9') return session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
  if (last === '8') return session.send(pdu.response({ command_status: smpp.ESME_RINVDSTADR }));
  const id = `n${++count}`;
  if (last === '6') receipt(session, pdu, id, true);
  session.send(pdu.response({ message_id: id }));
  if (last !== '6') receipt(session, pdu, id, false);
  if (last === '7') {
    session.deliver_sm({
      source_addr: pdu.destination_addr, source_addr_ton: 1, source_addr_npi: 1,
      destination_addr: pdu.source_addr, data_coding: 8, short_message: 'Иә',
    });
  }
}

const server = smpp.createServer((session) => {
  session.on('error', (error) => say({ error: String(error) }));
  session.on('bind_transceiver', (pdu) => {
    const known = pdu.system_id === 'chapar' && pdu.password === 'secret';
    session.send(pdu.response({ command_status: known ? 0 : smpp.ESME_RINVPASWD }));
    say({ bound: known, version: pdu.interface_version });
    if (known) session.enquire_link({}, () => say({ alive: true }));
  });
  session.on('submit_sm', (pdu) => submitted(session, pdu));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { say({ unbound: true }); session.send(pdu.response()); session.close(); });
  session.on('close', () => say({ closed: true }));
});
server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));
process.stdin.on('end', () => process.exit(0)).resume();
