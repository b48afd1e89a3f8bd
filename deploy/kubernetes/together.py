"""What no schema sees of rendered manifests: that those which name each other fit together.

    python together.py rendered.yaml
"""

import sys

import yaml


def main(path):
    with open(path, encoding="utf-8") as file:
        documents = [document for document in yaml.safe_load_all(file) if document]
    found = {(document["kind"], document["metadata"]["name"]): document for document in documents}
    pods = {name: document["spec"]["template"] for (kind, name), document in found.items() if kind == "Deployment"}
    mistakes = []

    def selects(selector, what):
        chosen = [name for name, pod in pods.items() if selector.items() <= pod["metadata"]["labels"].items()]
        if not selector or not chosen:
            mistakes.append(f"{what} selects no pod: {selector}")
        return chosen

    def has(kind, name, what):
        if (kind, name) not in found:
            mistakes.append(f"{what} names {kind} {name}, which is not there")

    for (kind, name), document in found.items():
        what, spec = f"{kind} {name}", document.get("spec", {})
        if kind == "Deployment":
            if selects(spec["selector"]["matchLabels"], what) != [name]:
                mistakes.append(f"{what} does not select its own pods alone")
            pod = spec["template"]["spec"]
            has("ServiceAccount", pod["serviceAccountName"], what)
            for container in pod["containers"]:
                for source in container["envFrom"]:
                    for key, target in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                        if key in source:
                            has(target, source[key]["name"], what)
        elif kind == "Service":
            ports = {port["name"] for pod in selects(spec["selector"], what) for container in pods[pod]["spec"]["containers"]
                     for port in container["ports"]}
            mistakes += [f"{what} leads to no port {port['targetPort']}" for port in spec["ports"] if port["targetPort"] not in ports]
        elif kind == "PodDisruptionBudget":
            selects(spec["selector"]["matchLabels"], what)
        elif kind == "NetworkPolicy":
            # An empty one would be every pod of the namespace, whoever's it is.
            selects(spec["podSelector"].get("matchLabels", {}), what)
        elif kind == "HorizontalPodAutoscaler":
            has(spec["scaleTargetRef"]["kind"], spec["scaleTargetRef"]["name"], what)
        elif kind == "HTTPRoute":
            for rule in spec["rules"]:
                for backend in rule["backendRefs"]:
                    has("Service", backend["name"], what)
    for mistake in mistakes:
        print(mistake)
    return 1 if mistakes else 0


sys.exit(main(sys.argv[1]))
