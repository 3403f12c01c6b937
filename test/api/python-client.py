"""What programs written with the Python client do; prints what they see, a JSON object a line."""

import json
import sys
import threading

from kubernetes import client, config, dynamic, utils, watch
from kubernetes.client.rest import ApiException

config.load_kube_config(config_file=sys.argv[1])
core = client.CoreV1Api()
namespace = "python"


def show(name, value):
    print(json.dumps({"name": name, "value": value}), flush=True)


show("version", client.VersionApi().get_code().git_version)
core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=namespace)))

# typed objects: create, patch, replace with a stale version, list page by page
made = core.create_namespaced_config_map(
    namespace, client.V1ConfigMap(metadata=client.V1ObjectMeta(name="a"), data={"k": "v"})
)
core.patch_namespaced_config_map("a", namespace, {"data": {"more": "x"}})
made.data = {"k": "lost"}
try:
    core.replace_namespaced_config_map("a", namespace, made)
except ApiException as error:
    show("stale", [error.status, json.loads(error.body)["reason"]])
show("data", core.read_namespaced_config_map("a", namespace).data)
core.create_namespaced_config_map(
    namespace, client.V1ConfigMap(metadata=client.V1ObjectMeta(name="b"))
)
names, token = [], None
while True:
    page = core.list_namespaced_config_map(namespace, limit=1, _continue=token)
    names += [item.metadata.name for item in page.items]
    token = page.metadata._continue
    if not token:
        break
show("pages", [name for name in names if name != "kube-root-ca.crt"])

# a watch from a list on, until the last change is seen
start = core.list_namespaced_config_map(namespace).metadata.resource_version


def change():
    core.patch_namespaced_config_map("a", namespace, {"metadata": {"labels": {"seen": "yes"}}})
    core.delete_namespaced_config_map("b", namespace)


threading.Timer(0.2, change).start()
seen, watcher = [], watch.Watch()
for event in watcher.stream(
    core.list_namespaced_config_map, namespace, resource_version=start, timeout_seconds=60
):
    seen.append([event["type"], event["object"].metadata.name])
    if event["type"] == "DELETED":
        watcher.stop()
show("watch", seen)

# manifests as kubectl create makes them, and a workload that controllers act on
utils.create_from_dict(
    client.ApiClient(),
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            },
        },
    },
)
apps = client.AppsV1Api()
scale = apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 2}})
show("scale", scale.spec.replicas)

# the dynamic client finds kinds through discovery, custom ones as soon as they are served
client.ApiextensionsV1Api().create_custom_resource_definition(
    {
        "metadata": {"name": "snakes.python.example.com"},
        "spec": {
            "group": "python.example.com",
            "scope": "Namespaced",
            "names": {"plural": "snakes", "kind": "Snake"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "x-kubernetes-preserve-unknown-fields": True,
                        }
                    },
                }
            ],
        },
    }
)
extensions = client.ApiextensionsV1Api()
for event in watch.Watch().stream(extensions.list_custom_resource_definition, timeout_seconds=60):
    conditions = event["object"].status and event["object"].status.conditions or []
    if any(one.type == "Established" and one.status == "True" for one in conditions):
        break
finder = dynamic.DynamicClient(client.ApiClient())
snakes = finder.resources.get(api_version="python.example.com/v1", kind="Snake")
snakes.create(
    body={
        "apiVersion": "python.example.com/v1",
        "kind": "Snake",
        "metadata": {"name": "kaa"},
        "spec": {"length": 3},
    },
    namespace=namespace,
)
patched = snakes.patch(
    body={"metadata": {"name": "kaa"}, "spec": {"length": 4}},
    name="kaa",
    namespace=namespace,
    content_type="application/merge-patch+json",
)
show("dynamic", patched.spec.length)

# what is refused says why
try:
    core.create_namespaced_service(
        namespace, {"metadata": {"name": "Bad"}, "spec": {"ports": [{"port": 0}]}}
    )
except ApiException as error:
    show("refused", [cause["field"] for cause in json.loads(error.body)["details"]["causes"]])
review = client.AuthorizationV1Api().create_self_subject_access_review(
    {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
)
show("allowed", review.status.allowed)
core.delete_namespace(namespace, propagation_policy="Foreground")
