"""Takes kazoo-sdk through a server. Reads the setup as JSON, writes what came of each step as JSON."""

import json
import sys

import kazoo
from kazoo.exceptions import (
    KazooApiAuthenticationError,
    KazooApiBadDataError,
    KazooApiError,
)

setup = json.load(sys.stdin)
account = setup["account"]
told = {}


def client(**login):
    return kazoo.Client(base_url=setup["base_url"], **login)


def by_password(account_name, username, password):
    return client(account_name=account_name, username=username, password=password)


def failure(call, *arguments):
    """What the SDK makes of an error; nothing else may come out of it."""
    try:
        return {"answered": call(*arguments)}
    except KazooApiBadDataError as error:
        return {"kind": "bad data", "fields": error.field_errors}
    except KazooApiAuthenticationError as error:
        return {"kind": "authentication", "arguments": error.args}
    except KazooApiError as error:
        return {"kind": "api", "arguments": error.args}


def walk():
    boss = by_password("acme", "boss", "b0ss-pw")
    token = boss.authenticate()
    told["login"] = boss.auth_data
    told["account"] = boss.get_account(account)
    told["children"] = boss.get_account_children(account)
    told["descendants"] = boss.get_account_descendants(account)

    made = boss.create_user(
        account,
        {
            "username": setup["newcomer"],
            "password": "n1na-pw",
            "first_name": "Nina",
            "last_name": "N",
            "email": setup["newcomer"] + "@example.org",
        },
    )
    told["made"] = made
    newcomer = made["data"]["id"]
    told["users"] = boss.get_users(account)
    # What the SDK's users do: get, change, send everything back.
    whole = boss.get_user(account, newcomer)["data"]
    whole["first_name"] = "Nora"
    told["renamed"] = boss.update_user(account, newcomer, whole)
    told["newcomer"] = by_password("acme", setup["newcomer"], "n1na-pw").authenticate()
    whole["password"] = "0ther-pw"
    told["repassworded"] = boss.update_user(account, newcomer, whole)
    told["old password"] = failure(by_password("acme", setup["newcomer"], "n1na-pw").authenticate)
    told["new password"] = by_password("acme", setup["newcomer"], "0ther-pw").authenticate()
    told["removed"] = boss.delete_user(account, newcomer)
    told["gone"] = failure(boss.get_user, account, newcomer)

    told["no last name"] = failure(boss.create_user, account, {"first_name": "N"})
    told["not there"] = failure(boss.get_devices, account)
    told["foreign"] = failure(boss.get_account, setup["master"])
    told["wrong password"] = failure(by_password("acme", "boss", "wr0ng").authenticate)
    told["wrong account"] = failure(by_password("nosuch", "boss", "b0ss-pw").authenticate)

    # The SDK logs in again by itself once its token is refused.
    told["ended"] = boss.manual_request("/token_auth", "delete")[0]
    told["again"] = len(boss.get_users(account)["data"])
    told["another token"] = boss.auth_token != token

    _, key = boss.manual_request("/accounts/%s/api_key" % account)
    by_key = client(api_key=key["api_key"])
    by_key.authenticate()
    told["key"] = by_key.auth_data
    told["users by key"] = len(by_key.get_users(account)["data"])
    told["wrong key"] = failure(client(api_key="a" * 64).authenticate)

    root = by_password("master", "root", "r00t-pw")
    root.authenticate()
    told["accounts"] = root.get_accounts()
    below = root.create_account({"name": setup["newcomer"] + " ltd"})
    told["below"] = below
    renamed = dict(below["data"], name=setup["newcomer"] + " plc")
    told["account renamed"] = root.update_account(below["data"]["id"], renamed)
    told["account removed"] = root.delete_account(below["data"]["id"])


walk()
json.dump(told, sys.stdout)
