// The Playground: GraphiQL, a row of example operations above it, and a session that the examples share.
// React, ReactDOM, GraphiQL and graphqlWs are globals of the vendored scripts, which run before this one.

import { examples, pickStay } from "./examples.js";

const ENDPOINT = new URL("/graphql", location.href);
const { GraphQL, React: GraphiQLReact } = GraphiQL;

// ---------------------------------------------------------------- what the page has seen

// Kept for this browser tab alone, and gone with it.
function kept(key) {
  return JSON.parse(sessionStorage.getItem(`staygate:${key}`) ?? "{}");
}

function keep(key, value) {
  sessionStorage.setItem(`staygate:${key}`, JSON.stringify(value));
}

const seen = { ...kept("seen"), stay: pickStay() };
let stayIsTaken = false;

function see(news) {
  Object.assign(seen, news);
  keep("seen", { bookingId: seen.bookingId, cursor: seen.cursor });
}

// ---------------------------------------------------------------- the session

const session = {
  token: null,
  name: null,
  notice: null,
  ...kept("session"),

  start(payload) {
    if (payload?.accessToken) {
      this.set(payload.accessToken, payload.viewer?.email ?? payload.viewer?.user?.fullName ?? null, null);
    }
  },

  end(notice = null) {
    this.set(null, null, notice);
  },

  // The server refused: the token sent was no longer good, or there was none to send.
  refused(sent) {
    if (sent === this.token) {
      this.end(sent ? "Your session has ended: run Sign in again" : "This needs a signed-in user: run Sign in");
    }
  },

  set(token, name, notice) {
    Object.assign(this, { token, name, notice });
    keep("session", { token, name });
    showSession();
  },
};

async function signOut() {
  const headers = { authorization: `Bearer ${session.token}` };
  session.end();
  await post({ query: "mutation { signOut { userErrors { message } } }" }, headers);
}

// ---------------------------------------------------------------- sending operations

const startsSession = new Set(["signIn", "signUp", "refreshSession", "resetPassword"]);

// What the page learns from an answer, by the root field that gave it.
function learn(field, value) {
  if (startsSession.has(field)) {
    session.start(value);
  } else if (field === "signOut" && value?.userErrors?.length === 0) {
    session.end();
  } else if (field === "createBooking") {
    stayIsTaken = true;
    const { booking } = value ?? {};
    if (booking?.id) {
      see({ bookingId: booking.id, cursor: booking.events?.at(-1)?.cursor ?? seen.cursor });
      desk.outdate("Pay", "Watch");
    }
  } else if (field === "viewerBookingStatusChanged" && value?.cursor) {
    see({ cursor: value.cursor });
    desk.outdate("Watch");
  }
}

// The operation that is about to run: its name, kind and root fields. The editor tells the name a
// moment late after a change of tabs, so a lone operation goes by the name in its own text.
function readOperation(query, operationName) {
  try {
    const operations = GraphQL.parse(query).definitions.filter(({ kind }) => kind === "OperationDefinition");
    const operation =
      operations.length === 1 ? operations[0] : operations.find(({ name }) => name?.value === operationName);
    return {
      name: operation.name?.value,
      kind: operation.operation,
      fields: operation.selectionSet.selections
        .filter(({ kind }) => kind === "Field")
        .map(({ alias, name }) => ({ name: name.value, key: (alias ?? name).value })),
    };
  } catch {
    // Not a document that can be run: the server has the better words for it.
    return { name: operationName, kind: "query", fields: [] };
  }
}

async function fetcher({ query, operationName, variables }, { headers = {} } = {}) {
  if (operationName === "IntrospectionQuery") {
    return post({ query, operationName }, headers);
  }
  const operation = readOperation(query, operationName);
  const request = { query, operationName: operation.name, variables };

  // The headers editor has the first word. An ended session must not stand in the way of a new one.
  const written = Object.keys(headers).find((name) => name.toLowerCase() === "authorization");
  const sent = written || operation.fields.some(({ name }) => startsSession.has(name)) ? null : session.token;
  const authorization = written ? headers[written] : sent && `Bearer ${sent}`;

  const inspect = (result) => {
    for (const { name, key } of operation.fields) {
      learn(name, result?.data?.[key]);
    }
    if (!written && result?.errors?.some(({ extensions }) => extensions?.code === "UNAUTHENTICATED")) {
      session.refused(sent);
    }
    return result;
  };

  if (operation.kind === "subscription") {
    return subscribe(request, authorization, inspect);
  }
  return inspect(await post(request, sent ? { ...headers, authorization } : headers));
}

const failure = (message, code) => ({ errors: [{ message, ...(code && { extensions: { code } }) }] });

async function post(request, headers) {
  let response;
  try {
    response = await fetch(ENDPOINT, {
      method: "POST",
      headers: { accept: "application/json", "content-type": "application/json", ...headers },
      body: JSON.stringify(request),
    });
  } catch (error) {
    return failure(`The server did not answer: ${error.message}`);
  }
  try {
    return await response.json();
  } catch {
    return failure(`The server answered ${response.status} ${response.statusText}, which is not JSON.`);
  }
}

// Codes with which a server of graphql-transport-ws refuses the caller.
const REFUSALS = new Set([4401, 4403]);

function subscribe(request, authorization, inspect) {
  const url = new URL(ENDPOINT);
  url.protocol = url.protocol.replace("http", "ws");
  const client = graphqlWs.createClient({
    url: url.href,
    connectionParams: authorization ? { authorization } : undefined,
    shouldRetry: (reason) => reason instanceof CloseEvent && !REFUSALS.has(reason.code),
  });
  const events = client.iterate(request);

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        const { value, done } = await events.next();
        return { value: done ? value : inspect(value), done };
      } catch (reason) {
        return { value: inspect(explain(reason)), done: false };
      }
    },
    return() {
      return events.return();
    },
  };
}

function explain(reason) {
  if (Array.isArray(reason)) {
    return { errors: reason };
  }
  if (reason instanceof CloseEvent) {
    const code = REFUSALS.has(reason.code) ? "UNAUTHENTICATED" : undefined;
    return failure(`The socket was closed: ${reason.code} ${reason.reason}`.trim(), code);
  }
  return failure(`The socket failed: ${reason.message ?? reason}`);
}

// ---------------------------------------------------------------- tabs

// What GraphiQL keeps. Its tabs belong to this browser tab, as the session does, for two of them would write
// over each other's; history, theme and sizes are the user's.
const OF_THIS_TAB = new Set(["graphiql:tabState", "graphiql:query", "graphiql:variables", "graphiql:headers"]);
const placeOf = (key) => (OF_THIS_TAB.has(key) ? sessionStorage : localStorage);
const storage = {
  getItem: (key) => placeOf(key).getItem(`staygate:${key}`),
  setItem: (key, value) => placeOf(key).setItem(`staygate:${key}`, value),
  removeItem: (key) => placeOf(key).removeItem(`staygate:${key}`),
  get length() {
    return localStorage.length;
  },
  clear() {
    for (const place of [sessionStorage, localStorage]) {
      const keys = Object.keys(place).filter((key) => key.startsWith("staygate:graphiql:"));
      keys.forEach((key) => place.removeItem(key));
    }
  },
};

const format = (variables) => JSON.stringify(variables, null, 2);

// GraphiQL's tabs, as the row of examples uses them. A tab is an example's while its operation has the
// example's name, so what the user changes in it stays.
const desk = {
  editor: null,
  execution: null,
  isEmpty: storage.getItem("graphiql:tabState") === null,
  outdated: new Set(examples.map(({ name }) => name)),

  outdate(...names) {
    names.forEach((name) => this.outdated.add(name));
    // After the answer that brought the news is shown.
    setTimeout(() => this.settle());
  },

  open(example) {
    const { tabs, activeTabIndex, addTab, changeTab } = this.editor;
    if (example.name === "Book" && stayIsTaken) {
      see({ stay: pickStay() });
      stayIsTaken = false;
      this.outdated.add("Book");
    }
    const index = tabs.findIndex(({ title }) => title === example.name);
    if (index !== activeTabIndex) {
      // As GraphiQL does on a click on a tab: else the events would run into the next tab's answer.
      this.execution.stop();
      ReactDOM.flushSync(() => (index < 0 ? addTab() : changeTab(index)));
    }
    if (index < 0) {
      this.put(example);
    }
    // The editor finds this out by itself only a moment later, and names tabs by it.
    this.editor.queryEditor.operationName = example.name;
    this.settle();
    this.editor.queryEditor.focus();
  },

  put({ name, query, variables }) {
    this.editor.queryEditor.setValue(query);
    this.editor.updateActiveTabValues({ query, operationName: name });
    this.putVariables(format(variables(seen)));
    this.outdated.delete(name);
  },

  putVariables(variables) {
    this.editor.variableEditor.setValue(variables);
    this.editor.updateActiveTabValues({ variables });
  },

  // Runs after each change of the tabs: what is seen in the tab in front is what will be sent.
  settle() {
    const { tabs, activeTabIndex, queryEditor, variableEditor } = this.editor ?? {};
    if (!queryEditor || !variableEditor) {
      return;
    }
    if (this.isEmpty) {
      this.isEmpty = false;
      this.put(examples[0]);
      return;
    }
    const { title } = tabs[activeTabIndex];
    showActive(title);
    if (this.outdated.delete(title)) {
      const { variables, refresh } = examples.find(({ name }) => name === title);
      const written = variableEditor.getValue();
      try {
        const wanted = written.trim() ? format(refresh(JSON.parse(written), seen)) : format(variables(seen));
        if (wanted !== written) {
          this.putVariables(wanted);
        }
      } catch {
        // The user is in the middle of writing them.
      }
    }
  },
};

// Stands inside GraphiQL, where its contexts can be read.
function Bridge() {
  desk.editor = GraphiQLReact.useEditorContext({ nonNull: true });
  desk.execution = GraphiQLReact.useExecutionContext({ nonNull: true });
  React.useEffect(() => desk.settle());
  return null;
}

// ---------------------------------------------------------------- the row

const row = document.getElementById("examples");

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function showExamples() {
  for (const example of examples) {
    const button = element("button", {
      type: "button",
      title: example.hint,
      textContent: example.label,
      onclick: () => desk.open(example),
    });
    button.dataset.example = example.name;
    row.append(element("li", {}, button));
  }
}

function showActive(title) {
  for (const button of row.querySelectorAll("button")) {
    button.setAttribute("aria-current", button.dataset.example === title);
  }
}

function showSession() {
  const line = document.getElementById("session");
  line.classList.toggle("notice", Boolean(session.notice));
  if (session.token) {
    const button = element("button", { type: "button", textContent: "sign out", onclick: signOut });
    const who = session.name ? ["signed in as ", element("b", { textContent: session.name })] : ["signed in"];
    line.replaceChildren(element("span", {}, ...who), " (", button, ")");
  } else {
    line.replaceChildren(session.notice ?? "signed out");
  }
}

showExamples();
showSession();
ReactDOM.createRoot(document.getElementById("playground")).render(
  React.createElement(
    GraphiQL,
    {
      fetcher,
      storage,
      defaultQuery: "# Ctrl-Space completes, Ctrl-Enter runs.\n",
      defaultEditorToolsVisibility: true,
    },
    React.createElement(GraphiQL.Logo, null, null),
    React.createElement(Bridge),
  ),
);
